import { type Compression, gzipCompression } from "@tercel/grpc";

/** A gzip compression that records the compressed size of each message, in order. */
export function countingGzip(): { readonly compression: Compression; readonly compressedBytes: number[] } {
  const compressedBytes: number[] = [];
  const compression: Compression = {
    ...gzipCompression,
    async compress(bytes) {
      const compressed = await gzipCompression.compress(bytes);
      compressedBytes.push(compressed.length);
      return compressed;
    },
  };
  return { compression, compressedBytes };
}
