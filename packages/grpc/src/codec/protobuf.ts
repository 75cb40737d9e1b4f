import {
  type BinaryReadOptions,
  type DescMessage,
  fromBinary,
  type Message,
  ScalarType,
  toBinary,
} from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import type { Codec } from "./codec.ts";
import { codecError } from "./codec-error.ts";
import { decodeCompiled, encodeCompiled } from "./compiled.ts";

export interface ProtobufCodecOptions {
  /**
   * Keep fields that the schema does not know, so that a message passed on loses nothing (default true, as in protobuf-es).
   * Without them a decoded message only holds views of its input where it has a `bytes` field.
   */
  keepUnknownFields?: boolean;
}

/**
 * Binary protobuf, read and written as protobuf-es would, by programs made for each message type where these are faster.
 * Nesting beyond 100 messages and strings that are no UTF-8 (where the schema demands it, as in proto3) are refused.
 */
export function createProtobufCodec(options: ProtobufCodecOptions = {}): Codec {
  const keepUnknownFields = options.keepUnknownFields ?? true;
  const readOptions: Partial<BinaryReadOptions> = { readUnknownFields: keepUnknownFields };
  return {
    name: "proto",

    encode(schema, message) {
      try {
        return encodeCompiled(schema, message) ?? toBinary(schema, message);
      } catch (error) {
        throw codecError("encode", schema, error, Code.Internal);
      }
    },

    decode(schema, bytes, errorCode = Code.Internal) {
      let message: Message;
      try {
        message = decodeCompiled(schema, bytes, keepUnknownFields) ?? fromBinary(schema, bytes, readOptions);
      } catch (error) {
        throw codecError("decode", schema, error, errorCode);
      }
      return message;
    },

    retainsInput: keepUnknownFields ? () => true : hasBytesField,
  };
}

const bytesFieldBySchema = new WeakMap<DescMessage, boolean>();

/** Whether a message of this type, or any message within it, has a `bytes` field. */
function hasBytesField(schema: DescMessage): boolean {
  let found = bytesFieldBySchema.get(schema);
  if (found === undefined) {
    found = searchBytesField(schema, new Set());
    bytesFieldBySchema.set(schema, found);
  }
  return found;
}

function searchBytesField(schema: DescMessage, visited: Set<DescMessage>): boolean {
  if (visited.has(schema)) return false;
  visited.add(schema);
  return schema.fields.some(
    (field) =>
      field.scalar === ScalarType.BYTES || (field.message !== undefined && searchBytesField(field.message, visited)),
  );
}
