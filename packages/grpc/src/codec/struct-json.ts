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

/** Sets a property of the object itself, even if it is called `__proto__`. */
export function setOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === "__proto__") {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    target[key] = value;
  }
}
