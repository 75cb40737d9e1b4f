import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { basename } from "node:path";

const chunkBytes = 256 * 1024;

/** The chunks of a file. The next one is read when the last one is sent, so that a large file takes no more memory than a small one. */
export async function* sendFile(path: string) {
  const hash = createHash("sha256");
  let held: { name: string; data: Uint8Array } = { name: basename(path), data: new Uint8Array() };
  for await (const data of createReadStream(path, { highWaterMark: chunkBytes })) {
    if (held.data.length > 0) yield held;
    hash.update(data);
    held = { name: held.data.length > 0 ? "" : held.name, data };
  }
  // The last chunk has the digest, so one is held back until the file has ended.
  yield { ...held, sha256: hash.digest() };
}
