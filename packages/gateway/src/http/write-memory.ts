const blockBytes = 128 * 1024;

/**
 * Memory for writes to sockets. Most writes are done when `write` returns, so their memory is reused: new memory for each piece would accumulate until
 * it is collected. A piece that waits in a socket keeps its memory.
 */
export class WriteMemory {
  #block: Buffer = Buffer.alloc(0);
  #usedBytes = 0;

  /** Reserves memory, at most 128 KiB, which must be filled and written before the next call. */
  reserve(bytes: number): Buffer {
    if (this.#usedBytes + bytes > this.#block.length) {
      this.#block = Buffer.allocUnsafeSlow(blockBytes);
      this.#usedBytes = 0;
    }
    const start = this.#usedBytes;
    this.#usedBytes += bytes;
    return this.#block.subarray(start, start + bytes);
  }

  /** Returns the memory of a written piece. It is reused if it was the last reserved one. */
  giveBack({ buffer, byteOffset, length }: Buffer): void {
    const isLast = buffer === this.#block.buffer && byteOffset + length === this.#usedBytes;
    if (isLast) this.#usedBytes -= length;
  }
}

/** Shared by all connections, because writes are synchronous. */
export const writeMemory: WriteMemory = new WriteMemory();
