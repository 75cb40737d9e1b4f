import { create, type DescMessage, type Message, protoInt64 } from "@bufbuild/protobuf";
import { generateReadText } from "../wire/short-text.ts";
import { oddInput, smallIntegers, smallSigned, type WireReader } from "../wire/wire-reader.ts";
import { mayGenerateCode } from "./code-generation.ts";
import { writeReaderSource } from "./reader-source.ts";
import { setOwn, structToJson } from "./struct-json.ts";

/** Reads the message that ends where the reader's bytes do. Throws `oddInput` for what only protobuf-es reads, or no one. */
export type ReadMessage = (reader: WireReader) => Message;

/** Reads fields into a message. */
type ReadFields = (reader: WireReader, message: Message, end: number, endTag: number, depth: number) => void;

/** The end tag of messages that have a length instead. It equals no tag. */
const notDelimited = -1;

interface CompiledType {
  readonly Type: new () => Message;
  readonly read: ReadFields;
}

/**
 * Generates a function that reads messages of this type as protobuf-es's `fromBinary` does: same objects, same values. Where
 * the two could differ, it throws `oddInput` instead: for malformed input, a wire type other than the field's, values outside
 * closed enums. It throws `overBudget` for a message that takes too much memory.
 *
 * Returns `undefined` where code must not be generated from strings, and where 64-bit integers must be strings
 * (`BUF_BIGINT_DISABLE`). Then `fromBinary` has to do it all.
 */
export function compileMessageReader(schema: DescMessage): ReadMessage | undefined {
  if (!protoInt64.supported || !mayGenerateCode()) return undefined;
  const { Type, read } = compiledType(schema);
  return (reader) => {
    const message = new Type();
    read(reader, message, reader.end, notDelimited, 1);
    return message;
  };
}

let sharedTools: Record<string, unknown> | undefined;
const compiledTypes = new WeakMap<DescMessage, CompiledType>();

/** Types within this one are compiled when a message first has one: an API may reach thousands, and a program use ten. */
function compiledType(schema: DescMessage): CompiledType {
  let compiled = compiledTypes.get(schema);
  if (compiled === undefined) {
    const zero = create(schema);
    const { text, types, values } = writeReaderSource(schema, zero);
    sharedTools ??= { odd: oddInput, text: generateReadText(), smallIntegers, smallSigned, setOwn, structToJson };
    const tools = { ...sharedTools, prototype: Object.getPrototypeOf(zero) };
    compiled = new Function("types", "values", "tools", text)(
      types.map((type) => () => compiledType(type)),
      values,
      tools,
    ) as CompiledType;
    compiledTypes.set(schema, compiled);
  }
  return compiled;
}
