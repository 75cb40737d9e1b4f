import type { Buffer } from "node:buffer";
import { promisify } from "node:util";
import { zstdDecompress } from "node:zlib";
import { compressBound } from "./compress-frame.ts";

const decompress = promisify(zstdDecompress);

/** The largest frame of our archives. Of others, larger ones are decompressed piece by piece. */
const maxWholeBytes = 16 * 1024 * 1024;
/** Node's least. */
const minChunkBytes = 64;

/** What is known of a frame before it is decompressed. */
export interface WholeFrame {
  /** Of its content, as its header says. */
  readonly bytes: number;
  /** The most that it takes, if our program or a similar one has compressed it. */
  readonly maxCompressedBytes: number;
}

/**
 * Reads the header of a frame (RFC 8878 section 3.1.1.1) whose content is small enough to be decompressed at once.
 *
 * @param head the beginning of the frame, with all of its header
 * @returns undefined for a frame that is too large, or whose header does not say how large
 */
export function readWholeFrame(head: Buffer): WholeFrame | undefined {
  const descriptor = head[4] as number;
  const isSingle = (descriptor & 0x20) !== 0;
  const sizeFlag = descriptor >> 6;
  const at = 5 + (isSingle ? 0 : 1) + ([0, 1, 2, 4][descriptor & 3] as number);
  let bytes: number;
  if (sizeFlag === 0 && !isSingle) return undefined;
  if (sizeFlag === 0) bytes = head.readUInt8(at);
  else if (sizeFlag === 1) bytes = head.readUInt16LE(at) + 256;
  else if (sizeFlag === 2) bytes = head.readUInt32LE(at);
  else bytes = Number(head.readBigUInt64LE(at));
  return bytes > maxWholeBytes ? undefined : { bytes, maxCompressedBytes: compressBound(bytes) };
}

/**
 * Decompresses a frame in a thread of the pool, with room for all of it from the beginning: piece by piece it takes more than twice the time of a
 * processor, in trips between threads and memory for each piece.
 */
export function decompressWhole(frame: Buffer, { bytes }: WholeFrame): Promise<Buffer> {
  // One byte more shows that nothing is left.
  const chunkSize = Math.max(minChunkBytes, bytes + 1);
  return decompress(frame, { chunkSize, maxOutputLength: chunkSize });
}
