import { createReadStream } from "node:fs";
import { resolve } from "node:path";
import type { DescMessage, Message, Registry } from "@bufbuild/protobuf";
import type { CommandContext } from "../frame/context.ts";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure, usageFailure } from "../frame/failure.ts";
import { fileErrorReason } from "../frame/file-error.ts";
import { JsonSplitter } from "../json/json-splitter.ts";
import { type JsonText, jsonText } from "../json/json-text.ts";
import { parseJson } from "../json/parse-json.ts";
import { readAssignments } from "../json/read-assignments.ts";
import { readMessageNode } from "../json/read-message.ts";

/** Reads messages of one type. */
export interface MessageReader {
  readonly schema: DescMessage;
  readonly registry: Registry;
}

/** Types whose JSON form is an array themselves. */
const arrayTypes = new Set(["google.protobuf.ListValue", "google.protobuf.Value"]);

/**
 * Yields the messages of `-d` as they arrive. Assignments (`name=Ada`) together form one message; JSON may contain several, one after
 * another or in an array; `@file` and `@-` are read incrementally.
 *
 * @throws CommandFailure when an invalid message is reached
 */
export async function* readRequestData(
  data: readonly string[],
  reader: MessageReader,
  context: CommandContext,
): AsyncGenerator<Message> {
  const assignments = data.filter(isAssignment);
  if (assignments.length > 0) {
    if (assignments.length < data.length) throw usageFailure("cannot mix assignments and JSON in -d");
    yield readAssignments(reader.schema, assignments, reader.registry);
    return;
  }
  for (const one of data) {
    for await (const text of readTexts(one, context)) yield* readMessages(text, reader);
  }
}

/** Returns the message of a call that takes one; an empty one without `-d`. */
export async function readSingleRequest(
  data: readonly string[],
  reader: MessageReader,
  context: CommandContext,
): Promise<Message> {
  const messages = readRequestData(data.length === 0 ? ["{}"] : data, reader, context);
  const first = await messages.next();
  if (first.done === true) throw new CommandFailure(exitCodes.invalidInput, "no message: the input of -d is empty");
  const second = await messages.next();
  if (second.done !== true) throw usageFailure("too many messages in -d: the method takes one");
  return first.value;
}

function isAssignment(data: string): boolean {
  return !/^\s*[@{["]/.test(data) && /^[^=]+=/s.test(data);
}

/** Yields the JSON values of one `-d`. */
async function* readTexts(data: string, context: CommandContext): AsyncGenerator<JsonText> {
  if (!data.startsWith("@")) {
    const splitter = new JsonSplitter("-d");
    const texts = [...splitter.push(data), ...splitter.end()];
    // An empty value is usually a shell mistake; parsing it reports that.
    yield* texts.length === 0 ? [jsonText("-d", data)] : texts;
    return;
  }
  const isStdin = data === "@-";
  const source = isStdin ? "stdin" : data.slice(1);
  const stream = isStdin ? context.stdin : createReadStream(resolve(context.cwd, source));
  const splitter = new JsonSplitter(source);
  const decoder = new TextDecoder("utf-8", { fatal: true });
  try {
    for await (const chunk of stream) {
      context.signal.throwIfAborted();
      yield* splitter.push(decoder.decode(toBytes(chunk), { stream: true }));
    }
    yield* splitter.push(decoder.decode());
    yield* splitter.end();
  } catch (error) {
    throw inputFailure(source, error);
  }
}

function toBytes(chunk: Uint8Array | string): Uint8Array {
  return typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk;
}

function inputFailure(source: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ERR_ENCODING_INVALID_ENCODED_DATA")
    return new CommandFailure(exitCodes.invalidInput, `${source} is not UTF-8`);
  return code === undefined ? error : usageFailure(`cannot read -d ${source}: ${fileErrorReason(error)}`);
}

function* readMessages(text: JsonText, reader: MessageReader): Generator<Message> {
  const node = parseJson(text);
  const nodes = node.kind === "array" && !arrayTypes.has(reader.schema.typeName) ? node.items : [node];
  for (const one of nodes) yield readMessageNode(reader.schema, one, text, reader.registry);
}
