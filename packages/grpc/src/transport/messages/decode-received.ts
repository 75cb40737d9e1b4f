import { Code, ConnectError } from "@connectrpc/connect";
import { freeBuffer } from "@tercel/http2/internal";
import type { MessageCodec } from "../../call/messages/message-codec.ts";
import { copyBytes } from "../../codec/wire/copy-bytes.ts";
import { type Compression, undeclaredCompressionError } from "../../protocol/compression.ts";
import { reportExternalBytes } from "../../protocol/gc-pressure.ts";
import type { Payload } from "../../protocol/payload.ts";
import { TurnShare } from "../../time/turn-share.ts";

/** Below, freeing costs as much as it saves. */
const minFreedBytes = 16_384;

/** Messages that were decompressed in the thread pool may come many at once, from any connection, and one may be a turn's work. */
const decodeShare = new TurnShare();

/** The call that messages are received for, and what they are made with. */
export interface ReceivingCall {
  readonly receivedCodec: MessageCodec;
  readonly receivedCompression: Compression | undefined;
  readonly maxReceiveMessageBytes: number;
  /** Cancelled, past its deadline, or its connection lost: what was received is dropped. A call that is over otherwise may be read. */
  readonly isCutOff: boolean;
  /** See `DecompressingCall`. */
  takeRoom(bytes: number): Promise<void> | undefined;
  /** The message for which room was taken has `bytes` bytes; 0 when it was not decoded. */
  keepRoom(bytes: number): void;
}

/**
 * Makes a message of the bytes that came for it. Borrowed ones are copied where the message would keep parts of them, or outlive this call.
 * Throws or rejects when they are not such a message or are over the limit once they are decompressed, and rejects when the call was cut off
 * in the meantime. A promise may be left alone: its failure does not count as unhandled.
 */
export function decodeReceived(call: ReceivingCall, payload: Payload): object | Promise<object> {
  const { receivedCodec: codec } = call;
  const { bytes, start, end, compressed, owned } = payload;
  if (!compressed) {
    const message = codec.decodeInPlace?.(payload);
    if (message !== undefined) return message;
  }
  const isCopied = !owned && (compressed || codec.retainsInput());
  const content = isCopied ? copyBytes(bytes, start, end) : bytes.subarray(start, end);
  if (!compressed) return owned ? decodeOwned(codec, content) : codec.decode(content);
  const { receivedCompression: compression } = call;
  if (compression === undefined) throw undeclaredCompressionError();
  const plain = compression.decompress(content, call.maxReceiveMessageBytes, call);
  if (!(plain instanceof Promise)) return decodeOwned(codec, plain);
  const message = plain.then(
    (decompressed) => decodeLater(call, decompressed),
    (error) => {
      call.keepRoom(0);
      throw error;
    },
  );
  message.catch(() => {});
  return message;
}

async function decodeLater(call: ReceivingCall, content: Uint8Array): Promise<object> {
  call.keepRoom(content.length);
  while (decodeShare.isSpent) await decodeShare.renewed();
  if (!call.isCutOff) {
    const beganMs = decodeShare.making(content.length, true);
    try {
      return decodeOwned(call.receivedCodec, content);
    } finally {
      decodeShare.made(beganMs);
    }
  }
  if (content.length >= minFreedBytes) freeBuffer(content);
  throw new ConnectError("the call was cut off before its message was decompressed", Code.Canceled);
}

/** Of bytes that belong to this message alone. Large ones that it does not keep are freed at once, broken ones as well. */
function decodeOwned(codec: MessageCodec, content: Uint8Array): object {
  if (content.length < minFreedBytes) return codec.decode(content);
  let isKept = false;
  try {
    const message = codec.decode(content);
    isKept = codec.retainsInput();
    return message;
  } finally {
    if (isKept) reportExternalBytes(content.length);
    else freeBuffer(content);
  }
}
