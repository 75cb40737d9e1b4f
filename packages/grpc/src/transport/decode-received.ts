import type { DescMessage, Message } from "@bufbuild/protobuf";
import { freeBuffer } from "@tercel/http2";
import { type Codec, copyOctets } from "../codec/index.ts";
import { type Compression, undeclaredCompressionError } from "../protocol/compression.ts";
import { countUnfreed } from "../protocol/young-collection.ts";

/** Below, freeing costs as much as it saves. */
const minFreedBytes = 16_384;

/**
 * Makes a message of the octets that came for it. Unless they are the message's own, they are copied where it would keep parts
 * of them, or outlive this call. Throws or rejects when they are no such message or are over `maxMessageBytes` once they are
 * decompressed. A promise may be left alone: its failure does not count as unhandled.
 */
export function decodeReceived(
  codec: Codec,
  schema: DescMessage,
  compression: Compression | undefined,
  maxMessageBytes: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  compressed: boolean,
  isOwn: boolean,
): Message | Promise<Message> {
  const isLent = !isOwn && (compressed || codec.retainsInput(schema));
  const octets = isLent ? copyOctets(bytes, start, end) : bytes.subarray(start, end);
  if (!compressed) return isOwn ? decodeOwn(codec, schema, octets) : codec.decode(schema, octets);
  if (compression === undefined) throw undeclaredCompressionError();
  const plain = compression.decompress(octets, maxMessageBytes);
  if (!(plain instanceof Promise)) return decodeOwn(codec, schema, plain);
  const message = plain.then((decompressed) => decodeOwn(codec, schema, decompressed));
  message.catch(() => {});
  return message;
}

/** Of octets that nobody else has. Large ones that the message does not keep are freed at once, broken ones as well. */
function decodeOwn(codec: Codec, schema: DescMessage, octets: Uint8Array): Message {
  if (octets.length < minFreedBytes) return codec.decode(schema, octets);
  let isKept = false;
  try {
    const message = codec.decode(schema, octets);
    isKept = codec.retainsInput(schema);
    return message;
  } finally {
    if (isKept) countUnfreed(octets.length);
    else freeBuffer(octets);
  }
}
