import { fromJsonString, type Message, type Registry, toJsonString } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import type { Codec } from "./codec.ts";
import { codecError } from "./codec-error.ts";

export interface JsonCodecOptions {
  /** Types that may occur inside google.protobuf.Any, and extensions. Without it such messages cannot be read or written. */
  registry?: Registry;
  /** Skip fields that the schema does not know instead of refusing the message (default true, as in Connect). */
  ignoreUnknownFields?: boolean;
}

/** For whoever takes these options from an application and refuses what is none of them. */
export const jsonCodecOptionNames: readonly (keyof JsonCodecOptions)[] = ["registry", "ignoreUnknownFields"];

/** Protobuf's JSON form by protobuf-es, in UTF-8. Nesting beyond 100 messages, repeated keys and bad UTF-8 are refused. */
export function createJsonCodec(options: JsonCodecOptions = {}): Codec {
  const registry = options.registry;
  const readOptions = { ignoreUnknownFields: options.ignoreUnknownFields ?? true, registry };
  const writeOptions = { registry };
  const encoder = new TextEncoder();
  const decoder = new TextDecoder("utf-8", { fatal: true });
  return {
    name: "json",

    encode(schema, message) {
      try {
        return encoder.encode(toJsonString(schema, message, writeOptions));
      } catch (error) {
        throw codecError("encode", schema, error, Code.Internal);
      }
    },

    decode(schema, bytes, errorCode = Code.Internal) {
      let message: Message;
      try {
        message = fromJsonString(schema, decoder.decode(bytes), readOptions);
      } catch (error) {
        throw codecError("decode", schema, error, errorCode);
      }
      return message;
    },

    retainsInput: () => false,
  };
}
