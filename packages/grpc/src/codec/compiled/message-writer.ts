import { type DescMessage, protoInt64 } from "@bufbuild/protobuf";
import { oddValue, type WireWriter } from "../wire/wire-writer.ts";
import { mayGenerateCode } from "./code-generation.ts";
import { jsonToStruct } from "./struct-json.ts";
import { type WriterInput, writeWriterSource } from "./writer-source.ts";

/** Writes a message of one type, or what it can be made from. */
export type WriteMessage = (writer: WireWriter, message: object) => void;

/**
 * Generates a function that writes messages of this type, byte for byte as protobuf-es's `toBinary` does: fields by ascending
 * number, unknown fields last. It throws, mostly `oddValue`, when a value is not what its field promises; then `toBinary` has the
 * last word.
 *
 * Returns `undefined` where code must not be generated from strings, and where 64-bit integers are strings
 * (`BUF_BIGINT_DISABLE`). Then `toBinary` has to do it all.
 */
export function compileMessageWriter(schema: DescMessage): WriteMessage | undefined {
  return compileWriter(schema, "message");
}

/**
 * The same for plain objects that messages are made from: the bytes that `create` and `toBinary` would make, without the messages. What it throws
 * at, `create` and `toBinary` have the last word about.
 */
export function compileInitWriter(schema: DescMessage): WriteMessage | undefined {
  return compileWriter(schema, "init");
}

function compileWriter(schema: DescMessage, input: WriterInput): WriteMessage | undefined {
  return protoInt64.supported && mayGenerateCode() ? compiledType(schema, input) : undefined;
}

const compiledTypes: Readonly<Record<WriterInput, WeakMap<DescMessage, WriteMessage>>> = {
  message: new WeakMap(),
  init: new WeakMap(),
};

/** Types within this one are compiled when a message first has one, as for reading. */
function compiledType(schema: DescMessage, input: WriterInput): WriteMessage {
  let compiled = compiledTypes[input].get(schema);
  if (compiled === undefined) {
    const { text, types } = writeWriterSource(schema, input);
    compiled = new Function("types", "tools", "writeMessage", text)(
      types.map((type) => () => compiledType(type, input)),
      tools,
      input === "init" ? compiledType(schema, "message") : undefined,
    ) as WriteMessage;
    compiledTypes[input].set(schema, compiled);
  }
  return compiled;
}

const tools = {
  odd: oddValue,
  jsonToStruct,
  hasOwn: Object.hasOwn,
  /** Whether what the message has can only be its own. */
  isPlain: (value: object) => Object.getPrototypeOf(value) === Object.prototype,
  isArray: Array.isArray,
};
