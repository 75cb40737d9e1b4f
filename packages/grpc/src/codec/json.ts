import {
  type DescMessage,
  fromJson,
  fromJsonString,
  type Message,
  type Registry,
  toJsonString,
} from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import type { Codec } from "./codec.ts";
import { codecError, tooLarge } from "./codec-error.ts";
import { JsonWriters } from "./compiled/json-writer.ts";
import { parseDistinctJson } from "./distinct-json.ts";
import { checkJsonSize } from "./size/json-size.ts";
import { defaultMaxDecodedMessageBytes, overBudget } from "./size/memory-budget.ts";

export interface JsonCodecOptions {
  /** Types that may occur inside google.protobuf.Any, and extensions. Without it such messages cannot be read or written. */
  registry?: Registry;
  /** Skip fields that the schema does not know instead of refusing the message (default true, as in Connect). */
  ignoreUnknownFields?: boolean;
}

/** What applies to messages in either form, and is therefore not among the options of JSON. */
export interface JsonCodecLimits {
  /** See ProtobufCodecOptions. JSON is counted as a whole before it is decoded. Default 16 MiB. */
  readonly maxDecodedMessageBytes?: number | undefined;
}

/** A codec whose bytes are text. */
export interface JsonCodec extends Codec {
  /** What `encode` makes bytes of. Throws as `encode` does. */
  encodeText(schema: DescMessage, message: Message): string;
}

/** The names of these options, for code that takes them from an application and refuses unknown ones. */
export const jsonCodecOptionNames: readonly (keyof JsonCodecOptions)[] = ["registry", "ignoreUnknownFields"];

/** Protobuf's JSON form as protobuf-es has it, in UTF-8. Nesting beyond 100 messages, repeated keys and bad UTF-8 are refused. */
export function createJsonCodec(options: JsonCodecOptions = {}, limits: JsonCodecLimits = {}): JsonCodec {
  const maxDecodedMessageBytes = limits.maxDecodedMessageBytes ?? defaultMaxDecodedMessageBytes;
  const registry = options.registry;
  const readOptions = { ignoreUnknownFields: options.ignoreUnknownFields ?? true, registry };
  const writeOptions = { registry };
  const writers = new JsonWriters(registry);
  const toText = (schema: DescMessage, message: object): string =>
    writers.write(schema, message) ?? toJsonString(schema, message as Message, writeOptions);
  const decoder = new TextDecoder("utf-8", { fatal: true });
  return {
    name: "json",

    encode(schema, message) {
      try {
        // Short ones are parts of larger memory, which costs less than memory of their own.
        return Buffer.from(toText(schema, message));
      } catch (error) {
        throw codecError("encode", schema, error, Code.Internal);
      }
    },

    encodeText(schema, message) {
      try {
        return toText(schema, message);
      } catch (error) {
        throw codecError("encode", schema, error, Code.Internal);
      }
    },

    decode(schema, bytes, errorCode = Code.Internal) {
      let message: Message;
      try {
        const text = decoder.decode(bytes);
        checkJsonSize(schema, text, bytes.length, maxDecodedMessageBytes);
        const json = parseDistinctJson(text);
        message = json === undefined ? fromJsonString(schema, text, readOptions) : fromJson(schema, json, readOptions);
      } catch (error) {
        if (error === overBudget) throw tooLarge(schema, bytes.length, maxDecodedMessageBytes);
        throw codecError("decode", schema, error, errorCode);
      }
      return message;
    },

    retainsInput: () => false,
  };
}
