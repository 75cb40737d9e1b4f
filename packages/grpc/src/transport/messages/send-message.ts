import type { Http2Stream } from "@tercel/http2";
import { reportExternalBytes } from "../../protocol/gc-pressure.ts";
import { messagePrefixBytes, writeMessagePrefix } from "../../protocol/message-framing.ts";
import type { Payload } from "../../protocol/payload.ts";

/** Copying a payload this small next to its prefix is cheaper than sending two pieces. */
const joinBelowBytes = 8192;

/** Smaller payloads may be in a buffer that the codec still writes into, and cost little to collect. */
const minFreedBytes = 65_536;

/**
 * Sends one message with its prefix: straight into the connection's output where there is room, or after what already
 * waits on the stream. False: the stream holds enough, wait for `onWritable`. The memory of an owned payload may be freed.
 */
export function sendMessage(stream: Http2Stream, payload: Payload, endStream: boolean): boolean {
  const { length, compressed } = payload;
  stream.messageSent();
  const bytes = messagePrefixBytes + length;
  const offset = stream.reserveData(bytes);
  if (offset !== -1) {
    const output = stream.outputBytes;
    writeMessagePrefix(output, offset, compressed, length);
    payload.copyTo(output, offset + messagePrefixBytes);
    stream.commitData(offset, bytes, endStream);
    return true;
  }
  if (length < joinBelowBytes) {
    const joined = new Uint8Array(bytes);
    writeMessagePrefix(joined, 0, compressed, length);
    payload.copyTo(joined, messagePrefixBytes);
    return stream.sendData(joined, endStream);
  }
  const prefix = new Uint8Array(messagePrefixBytes);
  writeMessagePrefix(prefix, 0, compressed, length);
  stream.sendData(prefix);
  const { content, owned } = payload;
  if (owned && length >= minFreedBytes) return stream.giveData(content, endStream);
  reportExternalBytes(length);
  return stream.sendData(content, endStream);
}
