import {
  type DescField,
  type JsonObject,
  type JsonValue,
  type Message,
  type Registry,
  ScalarType,
  toJson,
} from "@bufbuild/protobuf";
import type { JsonCodec } from "@tercel/grpc/codec";
import { defaultSystemParameters, type SystemParameters } from "./bind-query.ts";
import type { RestBinding } from "./rest-binding.ts";
import { hasNamedFields } from "./text-types.ts";

/** JSON codec and registry of the server. */
export interface ResponseJson {
  readonly json: JsonCodec;
  readonly registry: Registry | undefined;
}

/** Encodes a response, or its field `response_body`, as JSON. */
export function encodeResponse(
  { method, responseBody }: RestBinding,
  message: Message,
  system: SystemParameters,
  { json: codec, registry }: ResponseJson,
): string {
  if (responseBody === undefined && system === defaultSystemParameters) return codec.encodeText(method.output, message);
  const json = toJson(method.output, message, writeOptions(system, registry));
  const value = responseBody === undefined ? json : fieldOf(json as JsonObject, responseBody, system);
  return JSON.stringify(value, undefined, system.isPretty ? 2 : undefined);
}

/** Undefined for the defaults, which saves protobuf-es from merging options. */
function writeOptions({ enumsAsNumbers: enumAsInteger }: SystemParameters, registry: Registry | undefined) {
  if (registry !== undefined) return { enumAsInteger, registry };
  return enumAsInteger ? { enumAsInteger } : undefined;
}

/** Returns the default value for an unset field: an empty body would not be valid JSON. */
function fieldOf(json: JsonObject, field: DescField, system: SystemParameters): JsonValue {
  const value = json[field.jsonName];
  if (value !== undefined) return value;
  switch (field.fieldKind) {
    case "list":
      return [];
    case "map":
      return {};
    case "message":
      return hasNamedFields(field.message) ? {} : null;
    case "enum":
      return system.enumsAsNumbers ? 0 : (field.enum.values[0]?.name ?? 0);
    case "scalar":
      return zeroOf(field.scalar);
  }
}

function zeroOf(scalar: ScalarType): JsonValue {
  switch (scalar) {
    case ScalarType.BOOL:
      return false;
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return "";
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
