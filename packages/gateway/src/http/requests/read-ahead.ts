/** Freeing smaller buffers costs as much as it saves. */
const minFreedBytes = 16_384;

/** The bytes that a connection has read but not used yet: part of a head, or what follows a request that is being served. */
export class ReadAhead {
  #bytes: Buffer | undefined = undefined;

  get length(): number {
    return this.#bytes?.length ?? 0;
  }

  get isEmpty(): boolean {
    return this.#bytes === undefined;
  }

  /** Returns the stored bytes followed by the chunk. The caller must call `keep` or `free` with the result. */
  take(chunk: Buffer | undefined): Buffer | undefined {
    const kept = this.#bytes;
    this.#bytes = undefined;
    if (kept === undefined || chunk === undefined) return kept ?? chunk;
    const both = Buffer.concat([kept, chunk]);
    free(kept);
    free(chunk);
    return both;
  }

  /** Stores the bytes from `at` on. They are copied unless they are most of their buffer, so that a few bytes do not keep a large buffer alive. */
  keep(bytes: Buffer, at: number): void {
    if (at === bytes.length) {
      free(bytes);
      return;
    }
    const rest = bytes.subarray(at);
    if (isMostOfItsMemory(rest)) {
      this.#bytes = rest;
      return;
    }
    this.#bytes = Buffer.from(rest);
    free(bytes);
  }

  clear(): void {
    this.#bytes = undefined;
  }
}

/**
 * Frees the memory of used bytes, instead of leaving it to the garbage collector. Otherwise, hundreds of MiB accumulate when a client sends as fast as
 * it can, and all calls wait while they are collected. Nothing else refers to these bytes, because Node allocates a new buffer for each read. Small ones
 * may belong to a pool, but are always less than half of it.
 */
export function free(bytes: Buffer): void {
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && buffer.byteLength >= minFreedBytes && isMostOfItsMemory(bytes))
    buffer.transfer(0);
}

function isMostOfItsMemory({ length, buffer }: Buffer): boolean {
  return 2 * length >= buffer.byteLength;
}
