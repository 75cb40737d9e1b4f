import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { basename } from "node:path";

const chunkBytes = 256 * 1024;

/** Returns the chunks of a file. It reads the next chunk when the last one was sent, so a large file takes no more memory than a small one. */
export async function* sendFile(path: string) {
  const hash = createHash("sha256");
  let held: { name: string; data: Uint8Array } = { name: basename(path), data: new Uint8Array() };
  for await (const data of createReadStream(path, { highWaterMark: chunkBytes })) {
    if (held.data.length > 0) yield held;
    hash.update(data);
    held = { name: held.data.length > 0 ? "" : held.name, data };
  }
  // The last chunk has the digest, so each chunk waits until the next one is read.
  yield { ...held, sha256: hash.digest() };
}
