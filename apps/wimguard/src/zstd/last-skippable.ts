import type { Buffer } from "node:buffer";

/** The magic number of the skippable frames that we write. */
export const skippableMagic = 0x184d2a50;
const headBytes = 8;
/** A larger frame is not ours. */
export const maxSkippableBytes: number = 64 * 1024;
/** How much of the end of a file such a frame can take. */
export const skippableTailBytes: number = headBytes + maxSkippableBytes;

/** Finds what the skippable frame holds that ends where a file ends; undefined where there is none. */
export function readLastSkippable(tail: Buffer): Buffer | undefined {
  for (let at = tail.length - headBytes; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== skippableMagic) continue;
    if (at + headBytes + tail.readUInt32LE(at + 4) === tail.length) return tail.subarray(at + headBytes);
  }
  return undefined;
}
