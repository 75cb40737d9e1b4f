import type { DescMessage } from "@bufbuild/protobuf";

/** Messages whose JSON is a string, or a scalar that can be written as text. */
const textTypes: ReadonlySet<string> = new Set(
  [
    ...["Timestamp", "Duration", "FieldMask"],
    ...["BoolValue", "BytesValue", "DoubleValue", "FloatValue"],
    ...["Int32Value", "Int64Value", "StringValue", "UInt32Value", "UInt64Value"],
  ].map((name) => `google.protobuf.${name}`),
);

/** Messages that represent arbitrary JSON. */
const jsonTypes: ReadonlySet<string> = new Set(
  ["Struct", "Value", "ListValue"].map((name) => `google.protobuf.${name}`),
);

/** Whether a value of this type can be written as text. */
export function isTextType(message: DescMessage): boolean {
  return textTypes.has(message.typeName);
}

/** Whether the type represents arbitrary JSON, or any JSON object or array. */
export function isJsonType(message: DescMessage): boolean {
  return jsonTypes.has(message.typeName);
}

/** Whether clients can set the fields of a message one by one. False for well-known types with a special JSON form. */
export function hasNamedFields(message: DescMessage): boolean {
  return !isTextType(message) && !isJsonType(message) && message.typeName !== "google.protobuf.Any";
}
