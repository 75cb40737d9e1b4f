import type { Message } from "@bufbuild/protobuf";
import { type Compression, gzipCompression } from "@tercel/grpc";

/** Protobuf reserves the numbers from 19000 to 19999 for implementations, so no message of the tests has this field. */
const markFieldNumber = 19_000;
/** The field's tag (19000 << 3, a varint) and the value 1. */
const mark = Uint8Array.of(0xc0, 0xa3, 0x09, 0x01);

/**
 * A gzip compression that adds a field to each decompressed message. The compression cases need to know
 * which messages were compressed. No application needs that, so there is no API. The unknown field shows it.
 */
export const markingGzip: Compression = {
  name: gzipCompression.name,
  compress: (bytes) => gzipCompression.compress(bytes),
  decompress(bytes, maxBytes) {
    const plain = gzipCompression.decompress(bytes, maxBytes);
    return plain instanceof Promise ? plain.then(withMark) : withMark(plain);
  },
};

/** Returns whether the message was compressed, on a channel or server with `markingGzip`. */
export function cameCompressed(message: Message): boolean {
  return message.$unknown?.some((field) => field.no === markFieldNumber) ?? false;
}

function withMark(plain: Uint8Array): Uint8Array {
  const marked = new Uint8Array(plain.length + mark.length);
  marked.set(plain);
  marked.set(mark, plain.length);
  return marked;
}
