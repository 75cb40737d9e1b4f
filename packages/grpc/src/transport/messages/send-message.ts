import type { Http2Stream } from "@tercel/http2";
import { reportExternalBytes } from "../../protocol/gc-pressure.ts";
import { messagePrefixBytes, writeMessagePrefix } from "../../protocol/message-framing.ts";
import type { Payload } from "../../protocol/payload.ts";

/**
 * Smaller payloads are copied: for them that costs less than to send pieces of their own, and to have a buffer for each collected. They may also be in
 * a buffer that the codec writes into again. Larger ones are sent from where they are, and freed.
 */
const copiedBelowBytes = 65_536;

/** Of a message that is copied to where it leaves. */
const spentPrefix = new Uint8Array(messagePrefixBytes);

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
  if (length < copiedBelowBytes) {
    writeMessagePrefix(spentPrefix, 0, compressed, length);
    if (stream.copyData(spentPrefix, payload.view, endStream)) return true;
    const joined = new Uint8Array(Buffer.allocUnsafeSlow(bytes).buffer);
    joined.set(spentPrefix);
    payload.copyTo(joined, messagePrefixBytes);
    return stream.sendData(joined, endStream);
  }
  const prefix = new Uint8Array(messagePrefixBytes);
  writeMessagePrefix(prefix, 0, compressed, length);
  stream.sendData(prefix);
  const { content, owned } = payload;
  if (owned) return stream.giveData(content, endStream);
  reportExternalBytes(length);
  return stream.sendData(content, endStream);
}
