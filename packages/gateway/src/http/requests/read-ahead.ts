/** Below, freeing costs as much as it saves. */
const minFreedBytes = 16_384;

/** What a connection has read and not used yet: part of a head, or what follows a request that is being answered. */
export class ReadAhead {
  #bytes: Buffer | undefined = undefined;

  get length(): number {
    return this.#bytes?.length ?? 0;
  }

  get isEmpty(): boolean {
    return this.#bytes === undefined;
  }

  /** Hands over what is there, and after it what has come. `keep` or `free` follows. */
  take(chunk: Buffer | undefined): Buffer | undefined {
    const kept = this.#bytes;
    this.#bytes = undefined;
    if (kept === undefined || chunk === undefined) return kept ?? chunk;
    const both = Buffer.concat([kept, chunk]);
    free(kept);
    free(chunk);
    return both;
  }

  /** What of the bytes is used up is before `at`. A copy of the rest, unless it is most of what it is part of: a few bytes must not hold a large piece. */
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
 * Frees the memory of bytes that are used up, instead of leaving it to the garbage collector: a client that sends as fast as it can makes hundreds of MiB
 * of it pile up, and every call wait while they are collected. No one else has these bytes, since Node reads into memory of its own each time; small ones
 * may be in a pool, of which none is half.
 */
export function free(bytes: Buffer): void {
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && buffer.byteLength >= minFreedBytes && isMostOfItsMemory(bytes))
    buffer.transfer(0);
}

function isMostOfItsMemory({ length, buffer }: Buffer): boolean {
  return 2 * length >= buffer.byteLength;
}
