import { create, type DescMessage, type Message, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { Payload } from "../../protocol/payload.ts";
import { maxInPlaceBytes } from "../codec.ts";
import { checkDecodedSize, minEstimatedBytes } from "../size/decoded-size.ts";
import { overBudget } from "../size/memory-budget.ts";
import { oddInput, WireReader } from "../wire/wire-reader.ts";
import { oddValue, WireWriter } from "../wire/wire-writer.ts";
import { compileMessageReader, type ReadMessage } from "./message-reader.ts";
import { compileInitWriter, compileMessageWriter, type WriteMessage } from "./message-writer.ts";

/** What generated code failed at, for which message type, and with what. */
export interface CodecFault {
  readonly action: "encode" | "decode";
  readonly typeName: string;
  readonly error: unknown;
}

/** Receives a fault once for each message type and direction: from then on protobuf-es does that work. */
export type OnCodecFault = (fault: CodecFault) => void;

/** The first words of every report of a fault. */
export const codecFaultMessage =
  "generated protobuf code failed; protobuf-es does its work from now on, which is slower";

export function warnOfFault({ action, typeName, error }: CodecFault): void {
  const reason = error instanceof Error ? (error.stack ?? String(error)) : String(error);
  process.emitWarning(`${codecFaultMessage} (${action} ${typeName}): ${reason}`);
}

/** A message, or the plain object that it can be made from. */
export type Writable = Message | MessageInitShape<DescMessage>;

interface WriterKind {
  readonly writers: WeakMap<DescMessage, WriteMessage | false>;
  readonly compile: (schema: DescMessage) => WriteMessage | undefined;
}

const messageWriters: WriterKind = { writers: new WeakMap(), compile: compileMessageWriter };
const initWriters: WriterKind = { writers: new WeakMap(), compile: compileInitWriter };
const output = new WireWriter();
let isWriting = false;

/**
 * Encodes by generated writers, in a third to two thirds of toBinary's time. `undefined` hands the message to toBinary: no code
 * may be generated, or a value is odd and needs toBinary's conversion or error.
 */
export function encodeCompiled(schema: DescMessage, message: Writable, onFault: OnCodecFault): Uint8Array | undefined {
  return writeCompiled(schema, message, onFault) ? output.finish() : undefined;
}

/** The same into `payload`, until that is cleared; see `Codec.lend`. False hands the message to toBinary. */
export function lendCompiled(schema: DescMessage, message: Writable, payload: Payload, onFault: OnCodecFault): boolean {
  if (!writeCompiled(schema, message, onFault)) return false;
  output.lend(payload);
  return true;
}

/** True: the message was written to `output`, where the caller ends it. */
function writeCompiled(schema: DescMessage, message: Writable, onFault: OnCodecFault): boolean {
  const { writers, compile } = (message as Partial<Message>).$typeName === undefined ? initWriters : messageWriters;
  let write = writers.get(schema);
  if (write === undefined) {
    write = compileOrReport("encode", schema, compile, onFault) ?? false;
    writers.set(schema, write);
  }
  // A getter of the message may encode another one; that must not end up inside this one.
  if (write === false || isWriting) return false;
  isWriting = true;
  let failure: unknown;
  try {
    write(output, message);
    return true;
  } catch (error) {
    output.abandon();
    failure = error;
  } finally {
    isWriting = false;
  }
  if (failure === oddValue) return false;
  // Values that do not fit the schema make the generated code fail in many ways. Then toBinary fails as well, and its error is the
  // better one; if it does not, the generated code is at fault.
  toBinaryOf(schema, message);
  writers.set(schema, false);
  onFault({ action: "encode", typeName: schema.typeName, error: failure });
  return false;
}

/** protobuf-es's way for both. */
export function toBinaryOf(schema: DescMessage, message: Writable): Uint8Array {
  return toBinary(
    schema,
    (message as Partial<Message>).$typeName === undefined ? create(schema, message) : (message as Message),
  );
}

export interface DecodeOptions {
  readonly keepUnknownFields: boolean;
  /** Price of each unknown field. */
  readonly unknownFieldBytes: number;
  readonly maxDecodedMessageBytes: number;
  readonly onFault: OnCodecFault;
}

/**
 * What a message may take before it is known whether all of it is within the limit. Beyond, the message is counted first: that is several
 * times as fast as making objects only to throw them away.
 */
const maxUncountedBytes = 256 * 1024;

const readers = new WeakMap<DescMessage, ReadMessage | false>();
const input = new WireReader();

/**
 * Decodes by generated readers, in a fifth to two thirds of fromBinary's time. `undefined` hands the bytes to fromBinary: no code
 * may be generated, or the message is not the plain case and needs fromBinary's rules or error.
 *
 * @param isCounted it is known to be within the limit, or too short to be counted
 * @throws overBudget
 */
export function decodeCompiled(
  schema: DescMessage,
  bytes: Uint8Array,
  options: DecodeOptions,
  isCounted = bytes.length < minEstimatedBytes,
): Message | undefined {
  const { keepUnknownFields, maxDecodedMessageBytes } = options;
  const read = readerOf(schema, options.onFault);
  if (read === false) return undefined;
  const maxBytes = isCounted ? maxDecodedMessageBytes : Math.min(maxUncountedBytes, maxDecodedMessageBytes);
  input.start(bytes, keepUnknownFields, maxBytes);
  try {
    return read(input);
  } catch (error) {
    if (error === overBudget) {
      if (maxBytes === maxDecodedMessageBytes) throw error;
      checkDecodedSize(schema, bytes, options.unknownFieldBytes, maxDecodedMessageBytes);
      return decodeCompiled(schema, bytes, options, true);
    }
    if (error !== oddInput) reportUnreadable(schema, error, options.onFault);
    return undefined;
  } finally {
    input.finish();
  }
}

/**
 * Decodes a small message out of a larger buffer, without a copy or a view of all of it. `undefined`: the message is large, not the plain case, or over
 * a limit, and has to be decoded by the usual way, which finds the words for what is wrong with it.
 */
export function decodeInPlace(schema: DescMessage, payload: Payload, options: DecodeOptions): Message | undefined {
  if (payload.length > maxInPlaceBytes) return undefined;
  const read = readerOf(schema, options.onFault);
  if (read === false) return undefined;
  input.startInPlace(payload, options.keepUnknownFields, options.maxDecodedMessageBytes);
  try {
    return read(input);
  } catch (error) {
    if (error !== oddInput && error !== overBudget) reportUnreadable(schema, error, options.onFault);
    return undefined;
  } finally {
    input.finish();
  }
}

function readerOf(schema: DescMessage, onFault: OnCodecFault): ReadMessage | false {
  let read = readers.get(schema);
  if (read === undefined) {
    read = compileOrReport("decode", schema, compileMessageReader, onFault) ?? false;
    readers.set(schema, read);
  }
  return read;
}

function reportUnreadable(schema: DescMessage, error: unknown, onFault: OnCodecFault): void {
  readers.set(schema, false);
  onFault({ action: "decode", typeName: schema.typeName, error });
}

function compileOrReport<T>(
  action: CodecFault["action"],
  schema: DescMessage,
  compile: (schema: DescMessage) => T,
  onFault: OnCodecFault,
): T | undefined {
  try {
    return compile(schema);
  } catch (error) {
    onFault({ action, typeName: schema.typeName, error });
    return undefined;
  }
}
