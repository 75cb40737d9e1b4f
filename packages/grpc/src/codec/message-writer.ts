import { type DescMessage, type Message, protoInt64 } from "@bufbuild/protobuf";
import { mayGenerateCode } from "./code-generation.ts";
import { jsonToStruct } from "./struct-json.ts";
import { oddValue, type WireWriter } from "./wire-writer.ts";
import { writeWriterSource } from "./writer-source.ts";

/** Writes a message of one type. */
export type WriteMessage = (writer: WireWriter, message: Message) => void;

/**
 * Generates a function that writes messages of this type, byte for byte as protobuf-es's `toBinary` does: fields by ascending
 * number, unknown fields last. It throws, mostly `oddValue`, when a value is not what its field promises; then `toBinary` has the
 * last word.
 *
 * Returns `undefined` where code must not be generated from strings, and where 64-bit integers are strings
 * (`BUF_BIGINT_DISABLE`). Then `toBinary` has to do it all.
 */
export function compileMessageWriter(schema: DescMessage): WriteMessage | undefined {
  return protoInt64.supported && mayGenerateCode() ? compiledType(schema) : undefined;
}

const compiledTypes = new WeakMap<DescMessage, WriteMessage>();

/** Types within this one are compiled when a message first has one, as for reading. */
function compiledType(schema: DescMessage): WriteMessage {
  let compiled = compiledTypes.get(schema);
  if (compiled === undefined) {
    const { text, types } = writeWriterSource(schema);
    compiled = new Function("types", "tools", text)(
      types.map((type) => () => compiledType(type)),
      tools,
    ) as WriteMessage;
    compiledTypes.set(schema, compiled);
  }
  return compiled;
}

const tools = {
  odd: oddValue,
  jsonToStruct,
  hasOwn: Object.hasOwn,
  /** Whether what the message has can only be its own. */
  isPlain: (message: Message) => Object.getPrototypeOf(message) === Object.prototype,
};
