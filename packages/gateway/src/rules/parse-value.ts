import { create, type DescField, type DescMessage, fromJson, type JsonValue, ScalarType } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { base64Decode } from "@bufbuild/protobuf/wire";
import { type FieldMask, FieldMaskSchema } from "@bufbuild/protobuf/wkt";
import { isJsonType } from "./text-types.ts";

/** The value of a scalar, an enum or a message for the reflection of protobuf-es. */
export type FieldValue = string | number | bigint | boolean | Uint8Array | ReflectMessage;

/** An invalid value. The client sees the message. */
export class ValueProblem extends Error {}

const integerPattern = /^-?(0|[1-9][0-9]*)$/;
const floatPattern = /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$/;
/** Length limit of a number; no number in range needs more characters. */
const maxNumberLength = 400;
const base64Pattern = /^[A-Za-z0-9+/_-]*={0,2}$/;

/** The type of a field or of its items. */
export type ValueType = Pick<DescField, "scalar" | "enum" | "message">;

/**
 * Parses a value from a path or query string.
 *
 * @throws ValueProblem with the expected format
 */
export function parseValue(type: ValueType, text: string): FieldValue {
  if (type.enum !== undefined) return parseEnum(type.enum, text);
  if (type.message !== undefined) return reflect(type.message, parseMessage(type.message, text));
  return parseScalar(type.scalar as ScalarType, text);
}

function parseScalar(scalar: ScalarType, text: string): FieldValue {
  switch (scalar) {
    case ScalarType.STRING:
      return text;
    case ScalarType.BOOL:
      if (text === "true") return true;
      if (text === "false") return false;
      throw new ValueProblem("has to be true or false");
    case ScalarType.BYTES:
      return parseBytes(text);
    case ScalarType.FLOAT:
      return parseFloating(text, 3.4028235677973366e38);
    case ScalarType.DOUBLE:
      return parseFloating(text, Number.MAX_VALUE);
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return Number(parseInteger(text, -(2n ** 31n), 2n ** 31n - 1n));
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return Number(parseInteger(text, 0n, 2n ** 32n - 1n));
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return parseInteger(text, -(2n ** 63n), 2n ** 63n - 1n);
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return parseInteger(text, 0n, 2n ** 64n - 1n);
  }
}

function parseInteger(text: string, min: bigint, max: bigint): bigint {
  const value = integerPattern.test(text) && text.length <= maxNumberLength ? BigInt(text) : undefined;
  if (value === undefined || value < min || value > max) {
    throw new ValueProblem(`has to be a whole number from ${min} to ${max}`);
  }
  return value;
}

function parseFloating(text: string, max: number): number {
  if (text === "NaN") return Number.NaN;
  if (text === "Infinity") return Number.POSITIVE_INFINITY;
  if (text === "-Infinity") return Number.NEGATIVE_INFINITY;
  const value = floatPattern.test(text) && text.length <= maxNumberLength ? Number(text) : Number.NaN;
  if (Number.isNaN(value) || Math.abs(value) > max) {
    throw new ValueProblem("has to be a number in range, NaN, Infinity or -Infinity");
  }
  return value;
}

/** Accepts base64 and base64url, with or without padding. */
function parseBytes(text: string): Uint8Array {
  try {
    if (base64Pattern.test(text)) return base64Decode(text);
  } catch {
    // The length is not valid for base64.
  }
  throw new ValueProblem("has to be base64");
}

function parseEnum(type: NonNullable<DescField["enum"]>, text: string): number {
  const named = type.values.find((value) => value.name === text);
  if (named !== undefined) return named.number;
  const number = integerPattern.test(text) && text.length <= 11 ? Number(text) : undefined;
  const isKnown = number !== undefined && (type.open ? number === (number | 0) : type.value[number] !== undefined);
  if (isKnown) return number;
  const names = type.values.slice(0, 10).map((value) => value.name);
  throw new ValueProblem(`has to be a value of ${type.typeName}, such as ${names.join(", ")}`);
}

function parseMessage(type: DescMessage, text: string) {
  if (type.typeName === FieldMaskSchema.typeName) return parseMask(text);
  if (isJsonType(type)) return parseJson(type, text);
  if (type.typeName.endsWith("Value")) {
    const wrapper = reflect(type);
    const [field] = type.fields;
    wrapper.set(field as DescField, parseScalar(field?.scalar as ScalarType, text));
    return wrapper.message;
  }
  try {
    return fromJson(type, text);
  } catch {
    const example = type.typeName.endsWith("Duration")
      ? "a duration, such as 1.5s"
      : "a time, such as 2026-01-31T08:00:00Z";
    throw new ValueProblem(`has to be ${example}`);
  }
}

function parseJson(type: DescMessage, text: string) {
  try {
    return fromJson(type, JSON.parse(text) as JsonValue);
  } catch {
    throw new ValueProblem(`has to be the JSON of a ${type.typeName}`);
  }
}

/** Parses the paths of a field mask, in proto or JSON names. */
function parseMask(text: string): FieldMask {
  const paths = text === "" ? [] : text.split(",");
  for (const path of paths) {
    if (!/^[A-Za-z0-9_.*]+$/.test(path)) throw new ValueProblem("has to be field names separated by commas");
  }
  return create(FieldMaskSchema, { paths: paths.map(toSnakeCase) });
}

function toSnakeCase(path: string): string {
  return path.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
