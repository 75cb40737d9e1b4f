import {
  type DescField,
  type DescMessage,
  fromJson,
  type JsonObject,
  type JsonValue,
  type Message,
  type Registry,
} from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import { suggestNearest, withSuggestion } from "../frame/suggestion.ts";
import { type JsonText, jsonFailure } from "./json-text.ts";
import { type JsonNode, parseJson, toJsonValue } from "./parse-json.ts";

/**
 * Reads a message in proto3 JSON.
 *
 * @throws CommandFailure with exit code 4, the position of the error and the nearest field name
 */
export function readMessage(schema: DescMessage, text: JsonText, registry: Registry): Message {
  return readMessageNode(schema, parseJson(text), text, registry);
}

/** Reads a message as `readMessage` does, from a parsed value. */
export function readMessageNode(schema: DescMessage, node: JsonNode, text: JsonText, registry: Registry): Message {
  try {
    return fromJson(schema, toJsonValue(node), { registry });
  } catch (error) {
    const { at, message } = findMistake(schema, node, registry) ?? { at: node.at, message: reasonOf(error) };
    throw jsonFailure(text, at, message);
  }
}

interface Mistake {
  readonly at: number;
  readonly message: string;
}

/** Decodes the fields of a message one by one to locate the error, since the decoder does not know positions. */
function findMistake(schema: DescMessage, node: JsonNode, registry: Registry): Mistake | undefined {
  // Types with a special JSON form are decoded as a whole.
  if (node.kind !== "object" || hasCustomJsonRepresentation(schema)) return undefined;
  const names = schema.fields.flatMap(({ name, jsonName }) => (name === jsonName ? [name] : [name, jsonName]));
  for (const { key, keyAt, value } of node.entries) {
    const field = schema.fields.find(({ name, jsonName }) => key === name || key === jsonName);
    if (field === undefined && !key.startsWith("[")) return { at: keyAt, message: unknownField(key, schema, names) };
    const error = tryRead(schema, { [key]: toJsonValue(value) }, registry);
    if (error === undefined) continue;
    return (field && findFieldMistake(schema, field, value, registry)) ?? { at: value.at, message: reasonOf(error) };
  }
  // Each field is valid, but not all together: two fields of one oneof.
  return undefined;
}

function findFieldMistake(
  schema: DescMessage,
  field: DescField,
  value: JsonNode,
  registry: Registry,
): Mistake | undefined {
  if (field.fieldKind === "message") return findMistake(field.message, value, registry);
  const parts =
    field.fieldKind === "list" && value.kind === "array"
      ? value.items.map((item) => ({ part: item, json: [toJsonValue(item)] as JsonValue }))
      : field.fieldKind === "map" && value.kind === "object"
        ? value.entries.map((entry) => ({
            part: entry.value,
            json: { [entry.key]: toJsonValue(entry.value) } as JsonValue,
          }))
        : [];
  for (const { part, json } of parts) {
    const error = tryRead(schema, { [field.name]: json }, registry);
    if (error === undefined) continue;
    const inner =
      "message" in field && field.message !== undefined ? findMistake(field.message, part, registry) : undefined;
    return inner ?? { at: part.at, message: reasonOf(error) };
  }
  return undefined;
}

function tryRead(schema: DescMessage, json: JsonObject, registry: Registry): unknown {
  try {
    fromJson(schema, json, { registry });
    return undefined;
  } catch (error) {
    return error;
  }
}

function unknownField(key: string, schema: DescMessage, names: readonly string[]): string {
  const suggestion = suggestNearest(key, names, JSON.stringify);
  const what = `unknown field ${JSON.stringify(key)}`;
  if (suggestion !== undefined) return withSuggestion(what, suggestion);
  if (names.length === 0) return `${what}: ${schema.typeName} has no fields`;
  return `${what}; ${schema.typeName} has ${schema.fields.map(({ name }) => name).join(", ")}`;
}

/** Shortens `cannot decode field a.B.c from JSON: expected …`, whose field the position shows already. */
function reasonOf(error: unknown): string {
  const { message } = error as Error;
  const [, field, reason] = /^cannot decode (?:field |message |oneof )?(\S+) from JSON: (.*)$/s.exec(message) ?? [];
  if (field === undefined || reason === undefined) return message;
  return `invalid ${field.slice(field.lastIndexOf(".") + 1)}: ${reason}`;
}
