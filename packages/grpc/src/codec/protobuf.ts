import { type BinaryReadOptions, type DescMessage, fromBinary, ScalarType } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import type { Codec } from "./codec.ts";
import { codecError, tooLarge } from "./codec-error.ts";
import {
  decodeCompiled,
  decodeInPlace,
  encodeCompiled,
  lendCompiled,
  type OnCodecFault,
  toBinaryOf,
  warnOfFault,
} from "./compiled/compiled.ts";
import { checkDecodedSize } from "./size/decoded-size.ts";
import { defaultMaxDecodedMessageBytes, overBudget } from "./size/memory-budget.ts";
import { memoryCosts } from "./size/memory-costs.ts";

export interface ProtobufCodecOptions {
  /**
   * Keep fields that the schema does not know, extensions among them, so that a message passed on loses nothing (default true, as in
   * protobuf-es). Without them a decoded message only holds views of its input where it has a `bytes` field.
   */
  keepUnknownFields?: boolean | undefined;
  /**
   * Memory that a decoded message may take, by an estimate; a message is refused with ResourceExhausted as soon as what has been read of
   * it takes more than this, and more than 16 times its bytes. Default 16 MiB: an element of a list takes at least about 50 bytes of
   * memory, and as little as two on the wire, so that 4 MiB could become hundreds.
   */
  maxDecodedMessageBytes?: number | undefined;
  /** Called when generated code fails, which is a bug in it; protobuf-es then does its work. Default: a process warning. */
  onFault?: OnCodecFault | undefined;
}

/**
 * Binary protobuf, read and written as protobuf-es would, by programs made for each message type where these are faster.
 * Nesting beyond 100 messages and strings that are not UTF-8 (where the schema demands it, as in proto3) are refused.
 */
export function createProtobufCodec(options: ProtobufCodecOptions = {}): Codec {
  const keepUnknownFields = options.keepUnknownFields ?? true;
  const maxDecodedMessageBytes = options.maxDecodedMessageBytes ?? defaultMaxDecodedMessageBytes;
  const onFault = options.onFault ?? warnOfFault;
  const readOptions: Partial<BinaryReadOptions> = { readUnknownFields: keepUnknownFields };
  const unknownFieldBytes = keepUnknownFields ? memoryCosts.unknownField : memoryCosts.droppedField;
  const decodeOptions = { keepUnknownFields, unknownFieldBytes, maxDecodedMessageBytes, onFault };
  return {
    name: "proto",
    encodesInit: true,

    encode(schema, message) {
      try {
        return encodeCompiled(schema, message, onFault) ?? toBinaryOf(schema, message);
      } catch (error) {
        throw codecError("encode", schema, error, Code.Internal);
      }
    },

    lend(schema, message, payload) {
      try {
        return lendCompiled(schema, message, payload, onFault);
      } catch (error) {
        throw codecError("encode", schema, error, Code.Internal);
      }
    },

    decode(schema, bytes, errorCode = Code.Internal) {
      try {
        const message = decodeCompiled(schema, bytes, decodeOptions);
        if (message !== undefined) return message;
        checkDecodedSize(schema, bytes, unknownFieldBytes, maxDecodedMessageBytes);
        return fromBinary(schema, bytes, readOptions);
      } catch (error) {
        if (error === overBudget) throw tooLarge(schema, bytes.length, maxDecodedMessageBytes);
        throw codecError("decode", schema, error, errorCode);
      }
    },

    decodeInPlace: (schema, payload) => decodeInPlace(schema, payload, decodeOptions),

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
