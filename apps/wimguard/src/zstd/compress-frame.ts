import type { Buffer } from "node:buffer";
import { promisify } from "node:util";
import { constants, zstdCompress } from "node:zlib";

const compress = promisify(zstdCompress);

/**
 * Compresses bytes as one frame with a checksum, in a thread of the pool. It has room for the result from the beginning: Node's 16 KiB at a time take hundreds of
 * trips between threads for a frame of an archive, and a copy of everything at the end.
 */
export function compressFrame(bytes: Buffer, level: number): Promise<Buffer> {
  const params = { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 };
  return compress(bytes, { params, pledgedSrcSize: bytes.length, chunkSize: compressBound(bytes.length) });
}

/** The most that a frame of so many bytes takes (`ZSTD_compressBound`), and one byte more, which shows that nothing is left. */
export function compressBound(bytes: number): number {
  return bytes + Math.ceil(bytes / 256) + 64 + 1;
}
