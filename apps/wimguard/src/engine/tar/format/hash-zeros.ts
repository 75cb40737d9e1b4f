import { Buffer } from "node:buffer";
import { setImmediate } from "node:timers/promises";
import { throwIfCancelled } from "../../../failure/failure.ts";
import type { ContentDigest } from "./content-digest.ts";

const zeros = Buffer.alloc(1024 * 1024);
/** Between two looks at whether the job was cancelled: some 30 ms. */
const bytesAtOnce = 32 * zeros.length;

/**
 * Adds a hole to a digest: it counts as the zeros that a reader of the file sees. A hole may be of terabytes, so this lets messages of other
 * threads in.
 *
 * @throws FailureError CANCELLED
 */
export async function hashZeros(
  hash: ContentDigest,
  bytes: number,
  signal: AbortSignal,
  onBytes: (bytes: number) => void = () => {},
): Promise<void> {
  for (let done = 0; done < bytes; ) {
    const end = Math.min(bytes, done + bytesAtOnce);
    onBytes(end - done);
    for (; done < end; done += Math.min(zeros.length, end - done)) hash.update(zeros.subarray(0, end - done));
    if (done < bytes) await setImmediate();
    throwIfCancelled(signal);
  }
}
