import { Buffer } from "node:buffer";
import type { Hash } from "node:crypto";

const zeros = Buffer.alloc(1024 * 1024);

/** Adds a hole to a digest: it counts as the zeros that a reader of the file sees. */
export function hashZeros(hash: Hash | undefined, bytes: number): void {
  for (let left = bytes; left > 0; left -= zeros.length)
    hash?.update(left < zeros.length ? zeros.subarray(0, left) : zeros);
}
