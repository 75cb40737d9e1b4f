import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";

/**
 * Completes an unfinished assignment: field names, after a dot those of the nested message, and after `=` the known values.
 *
 * @param before earlier assignments: a field that has a value is not completed again
 */
export function completeAssignment(schema: DescMessage, word: string, before: readonly string[] = []): string[] {
  const equals = word.indexOf("=");
  const path = (equals < 0 ? word : word.slice(0, equals)).split(".");
  const last = path.pop() ?? "";
  const within = messageAt(schema, path);
  if (within === undefined) return [];
  const start = path.map((name) => `${name}.`).join("");
  if (equals >= 0) {
    const field = within.fields.find(({ name, jsonName }) => name === last || jsonName === last);
    return startingWith(word, field === undefined ? [] : valuesOf(field).map((value) => `${start}${last}=${value}`));
  }
  const isSet = new Set(before.map((assignment) => assignment.slice(0, assignment.indexOf("="))));
  const names = within.fields.filter((field) => field.fieldKind === "list" || !isSet.has(start + field.name));
  return startingWith(
    word,
    names.map((field) => `${start}${field.name}${isNested(field) ? "." : "="}`),
  );
}

function messageAt(schema: DescMessage, path: readonly string[]): DescMessage | undefined {
  let at: DescMessage | undefined = schema;
  for (const step of path) {
    const field: DescField | undefined = at?.fields.find(({ name, jsonName }) => name === step || jsonName === step);
    at = field?.fieldKind === "message" ? field.message : undefined;
  }
  return at;
}

function isNested({ fieldKind }: DescField): boolean {
  return fieldKind === "message" || fieldKind === "map";
}

function valuesOf(field: DescField): readonly string[] {
  if (field.enum !== undefined) return field.enum.values.map(({ name }) => name);
  return field.scalar === ScalarType.BOOL ? ["true", "false"] : [];
}

function startingWith(word: string, all: readonly string[]): string[] {
  return all.filter((one) => one.startsWith(word));
}
