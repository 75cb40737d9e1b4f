import { type DescField, type DescMessage, type DescOneof, fromJson, type JsonValue } from "@bufbuild/protobuf";

/** Limit of visited JSON properties. Beyond it the error has the field's name instead of its path. */
const maxVisited = 1000;

/**
 * Finds the path of an invalid value in a message's JSON, such as `books[2].title`. Returns the field's name if it is not found. The error of
 * protobuf-es has the field but not the position of the message that contains it.
 */
export function findJsonPath(schema: DescMessage, json: JsonValue, field: DescField | DescOneof): string {
  return new JsonSearch(field).search(schema, json, "") ?? field.name;
}

class JsonSearch {
  readonly #field: DescField | DescOneof;
  #visited = 0;

  constructor(field: DescField | DescOneof) {
    this.#field = field;
  }

  search(schema: DescMessage, json: JsonValue, prefix: string): string | undefined {
    if (typeof json !== "object" || json === null || Array.isArray(json)) return undefined;
    for (const [key, value] of Object.entries(json)) {
      if (++this.#visited > maxVisited) return undefined;
      const field = schema.fields.find((one) => one.jsonName === key || one.name === key);
      if (field === undefined) continue;
      const path = `${prefix}${field.name}`;
      if (field === this.#field && isBad(schema, key, value)) return path;
      if (field === this.#field || field.message === undefined) continue;
      const found = this.#searchValue(field, field.message, value as JsonValue, path);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #searchValue(field: DescField, schema: DescMessage, value: JsonValue, path: string): string | undefined {
    if (field.fieldKind === "message") return this.search(schema, value, `${path}.`);
    if (typeof value !== "object" || value === null) return undefined;
    for (const [key, item] of Object.entries(value)) {
      const found = this.search(
        schema,
        item as JsonValue,
        `${path}[${Array.isArray(value) ? key : JSON.stringify(key)}].`,
      );
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

function isBad(schema: DescMessage, key: string, value: JsonValue | undefined): boolean {
  try {
    fromJson(schema, { [key]: value as JsonValue });
    return false;
  } catch {
    return true;
  }
}
