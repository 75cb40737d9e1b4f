import type { DescMessage } from "@bufbuild/protobuf";

/** Messages whose JSON form is text, or a bare value that can be written as one. */
const textTypes: ReadonlySet<string> = new Set(
  [
    ...["Timestamp", "Duration", "FieldMask"],
    ...["BoolValue", "BytesValue", "DoubleValue", "FloatValue"],
    ...["Int32Value", "Int64Value", "StringValue", "UInt32Value", "UInt64Value"],
  ].map((name) => `google.protobuf.${name}`),
);

/** Messages that stand for any JSON. */
const jsonTypes: ReadonlySet<string> = new Set(
  ["Struct", "Value", "ListValue"].map((name) => `google.protobuf.${name}`),
);

/** Whether one piece of text is a value of this type. */
export function isTextType(message: DescMessage): boolean {
  return textTypes.has(message.typeName);
}

/** Whether any JSON, or an object or array of it, is a value of this type. */
export function isJsonType(message: DescMessage): boolean {
  return jsonTypes.has(message.typeName);
}

/** Whether a message has fields that clients name one by one, which well-known types with a JSON form of their own do not. */
export function hasNamedFields(message: DescMessage): boolean {
  return !isTextType(message) && !isJsonType(message) && message.typeName !== "google.protobuf.Any";
}
