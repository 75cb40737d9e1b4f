import type { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";

const readBytes = 1024 * 1024;

/** Computes the SHA-256 of a file in hexadecimal. Reads the whole file, so archives should be hashed in a worker thread. */
export async function hashFile(path: string | Buffer, signal?: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: readBytes, ...(signal && { signal }) }))
    hash.update(chunk);
  return hash.digest("hex");
}
