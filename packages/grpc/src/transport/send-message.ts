import { Code, ConnectError } from "@connectrpc/connect";
import type { Stream } from "@tercel/http2";
import { reportExternalBytes } from "../protocol/gc-pressure.ts";
import { messagePrefixBytes, writeMessagePrefix } from "../protocol/message-framing.ts";

/** Copying a payload this small next to its prefix is cheaper than sending two pieces. */
const joinBelowBytes = 8192;

/** Smaller payloads may fill a buffer that the codec goes on to write into, and are little to collect. */
const minGivenBytes = 65_536;

/**
 * Sends one message with its prefix: straight into the connection's output where there is room, or behind what already
 * waits on the stream. False: the stream holds enough, wait for `onWritable`. `isGiven`: no one looks at the payload afterwards, so
 * that its memory can be freed.
 */
export function sendMessage(
  stream: Stream,
  payload: Uint8Array,
  compressed: boolean,
  endStream: boolean,
  isGiven: boolean,
): boolean {
  stream.owner.messages.sent++;
  const bytes = messagePrefixBytes + payload.length;
  const offset = stream.reserveData(bytes);
  if (offset !== -1) {
    const output = stream.owner.outputBytes;
    writeMessagePrefix(output, offset, compressed, payload.length);
    output.set(payload, offset + messagePrefixBytes);
    stream.commitData(offset, bytes, endStream);
    return true;
  }
  if (payload.length < joinBelowBytes) {
    const joined = new Uint8Array(bytes);
    writeMessagePrefix(joined, 0, compressed, payload.length);
    joined.set(payload, messagePrefixBytes);
    return stream.sendData(joined, endStream);
  }
  const prefix = new Uint8Array(messagePrefixBytes);
  writeMessagePrefix(prefix, 0, compressed, payload.length);
  stream.sendData(prefix);
  if (isGiven && payload.length >= minGivenBytes) return stream.giveData(payload, endStream);
  reportExternalBytes(payload.length);
  return stream.sendData(payload, endStream);
}

/**
 * Whether the compressed form is the one to send. What does not shrink grows a little, which costs the peer work and can take
 * a message over its limit.
 */
export function isWorthIt(plain: Uint8Array, compressed: Uint8Array): boolean {
  return compressed.length < plain.length;
}

/** Neither side sends what it was told not to; the message names both numbers. */
export function tooLargeToSend(bytes: number, limit: number): ConnectError {
  return new ConnectError(
    `a message of ${bytes} bytes is over the limit of ${limit} for sending`,
    Code.ResourceExhausted,
  );
}
