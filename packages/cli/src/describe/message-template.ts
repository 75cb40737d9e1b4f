import {
  type DescEnum,
  type DescField,
  type DescMessage,
  type JsonObject,
  type JsonValue,
  ScalarType,
} from "@bufbuild/protobuf";

/** Deeper messages are left empty, since messages may be recursive. */
const maxDepth = 5;

/** Values of types with a special JSON form. */
const wellKnownValues: Readonly<Record<string, JsonValue>> = {
  "google.protobuf.Any": { "@type": "type.googleapis.com/" },
  "google.protobuf.Duration": "0s",
  "google.protobuf.Empty": {},
  "google.protobuf.FieldMask": "",
  "google.protobuf.ListValue": [],
  "google.protobuf.Struct": {},
  "google.protobuf.Timestamp": "1970-01-01T00:00:00Z",
  "google.protobuf.Value": null,
  "google.protobuf.BoolValue": false,
  "google.protobuf.BytesValue": "",
  "google.protobuf.StringValue": "",
  "google.protobuf.DoubleValue": 0,
  "google.protobuf.FloatValue": 0,
  "google.protobuf.Int32Value": 0,
  "google.protobuf.Int64Value": "0",
  "google.protobuf.UInt32Value": 0,
  "google.protobuf.UInt64Value": "0",
};

/** Returns a message in proto3 JSON with every field: one element in lists and maps, the first field of a oneof. */
export function messageTemplate(schema: DescMessage, depth = 0): JsonValue {
  const known = wellKnownValues[schema.typeName];
  if (known !== undefined) return known;
  const template: JsonObject = {};
  if (depth >= maxDepth) return template;
  for (const member of schema.members) {
    const field = member.kind === "oneof" ? member.fields[0] : member;
    if (field !== undefined) template[field.jsonName] = fieldTemplate(field, depth);
  }
  return template;
}

function fieldTemplate(field: DescField, depth: number): JsonValue {
  const value =
    field.message !== undefined
      ? messageTemplate(field.message, depth + 1)
      : field.enum !== undefined
        ? enumTemplate(field.enum)
        : scalarTemplate(field.scalar as ScalarType);
  if (field.fieldKind === "list") return [value];
  if (field.fieldKind !== "map") return value;
  return { [field.mapKey === ScalarType.STRING ? "" : field.mapKey === ScalarType.BOOL ? "false" : "0"]: value };
}

function enumTemplate(schema: DescEnum): JsonValue {
  return schema.values[0]?.name ?? 0;
}

function scalarTemplate(scalar: ScalarType): JsonValue {
  switch (scalar) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return "";
    case ScalarType.BOOL:
      return false;
    // Proto3 JSON writes 64-bit integers as strings, because JavaScript numbers cannot represent all of them.
    case ScalarType.INT64:
    case ScalarType.UINT64:
    case ScalarType.SINT64:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return "0";
    default:
      return 0;
  }
}
