import type { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";

const chunkBytes = 256 * 1024;

/** A chunk of a file that is sent to a daemon. */
export interface SentChunk {
  readonly name: string;
  readonly offset: bigint;
  readonly data: Uint8Array;
  /** SHA-256 of the whole file, in the last chunk. */
  readonly sha256?: Uint8Array;
}

/**
 * Yields the chunks of a file. The next one is read when the last one was sent, so that memory does not depend on the size of the file.
 *
 * @param name where to store it: the name of a destination, a slash and a file name
 * @param onSent called with the number of bytes sent so far
 */
export async function* sendFile(
  path: string,
  name: string,
  onSent: (bytes: number) => void = () => {},
): AsyncGenerator<SentChunk> {
  const hash = createHash("sha256");
  let held: { readonly offset: number; readonly data: Uint8Array } | undefined;
  let offset = 0;
  for await (const data of createReadStream(path, { highWaterMark: chunkBytes }) as AsyncIterable<Buffer>) {
    if (held !== undefined) yield toChunk(held, name);
    onSent(offset);
    hash.update(data);
    held = { offset, data };
    offset += data.length;
  }
  // The last chunk has the digest, so one chunk is held back until the file ends.
  yield { ...toChunk(held ?? { offset: 0, data: new Uint8Array() }, name), sha256: hash.digest() };
  onSent(offset);
}

function toChunk({ offset, data }: { readonly offset: number; readonly data: Uint8Array }, name: string): SentChunk {
  return { name: offset === 0 ? name : "", offset: BigInt(offset), data };
}
