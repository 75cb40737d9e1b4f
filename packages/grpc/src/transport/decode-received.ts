import type { DescMessage, Message } from "@bufbuild/protobuf";
import { type Codec, copyOctets } from "../codec/index.ts";
import { type Compression, undeclaredCompressionError } from "../protocol/compression.ts";
import { countUnfreed } from "../protocol/young-collection.ts";

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
  if (!compressed) return codec.decode(schema, octets);
  if (compression === undefined) throw undeclaredCompressionError();
  const plain = compression.decompress(octets, maxMessageBytes);
  if (!(plain instanceof Promise)) return decodeOwn(codec, schema, plain);
  const message = plain.then((decompressed) => decodeOwn(codec, schema, decompressed));
  message.catch(() => {});
  return message;
}

/** Of octets that the message may keep. */
function decodeOwn(codec: Codec, schema: DescMessage, octets: Uint8Array): Message {
  countUnfreed(octets.length);
  return codec.decode(schema, octets);
}
