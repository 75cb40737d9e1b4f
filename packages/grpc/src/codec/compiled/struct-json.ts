import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { Struct, Value } from "@bufbuild/protobuf/wkt";

/** A google.protobuf.Struct in the form in which protobuf-es keeps it in a field. */
export function structToJson(struct: Struct): JsonObject {
  const json: JsonObject = {};
  for (const [key, value] of Object.entries(struct.fields)) setOwn(json, key, valueToJson(value));
  return json;
}

function valueToJson({ kind }: Value): JsonValue {
  switch (kind.case) {
    case "structValue":
      return structToJson(kind.value);
    case "listValue":
      return kind.value.values.map(valueToJson);
    case "nullValue":
    case undefined:
      return null;
    default:
      return kind.value;
  }
}

/** The message that a google.protobuf.Struct is on the wire, of the form in which protobuf-es keeps it in a field. */
export function jsonToStruct(json: unknown): Struct {
  const fields: Record<string, Value> = {};
  if (isObject(json)) {
    for (const [key, value] of Object.entries(json)) setOwn(fields, key, jsonToValue(value));
  }
  return { $typeName: "google.protobuf.Struct", fields };
}

function jsonToValue(json: unknown): Value {
  return { $typeName: "google.protobuf.Value", kind: kindOf(json) };
}

function kindOf(json: unknown): Value["kind"] {
  switch (typeof json) {
    case "number":
      return { case: "numberValue", value: json };
    case "string":
      return { case: "stringValue", value: json };
    case "boolean":
      return { case: "boolValue", value: json };
    case "object":
      if (json === null) return { case: "nullValue", value: 0 };
      if (!Array.isArray(json)) return { case: "structValue", value: jsonToStruct(json) };
      return {
        case: "listValue",
        value: { $typeName: "google.protobuf.ListValue", values: json.map(jsonToValue) },
      };
    default:
      return { case: undefined };
  }
}

function isObject(json: unknown): json is object {
  return json !== null && typeof json === "object" && !Array.isArray(json);
}

/** Sets a property of the object itself, even if it is called `__proto__`. */
export function setOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === "__proto__") {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    target[key] = value;
  }
}
