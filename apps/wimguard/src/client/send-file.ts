import type { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";

const chunkBytes = 256 * 1024;

/** A piece of a file on its way to a daemon. */
export interface SentChunk {
  readonly name: string;
  readonly offset: bigint;
  readonly data: Uint8Array;
  /** Of the whole file, in the last one. */
  readonly sha256?: Uint8Array;
}

/**
 * The chunks of a file. The next one is read when the last one was taken, so that a large file takes no more memory than a small one.
 *
 * @param name as what it is stored: a destination's name, a slash, and a file name
 * @param onSent called with the bytes that were taken so far
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
  // The last chunk has the digest, so one is held back until the file has ended.
  yield { ...toChunk(held ?? { offset: 0, data: new Uint8Array() }, name), sha256: hash.digest() };
  onSent(offset);
}

function toChunk({ offset, data }: { readonly offset: number; readonly data: Uint8Array }, name: string): SentChunk {
  return { name: offset === 0 ? name : "", offset: BigInt(offset), data };
}
