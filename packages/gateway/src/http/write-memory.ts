const blockBytes = 128 * 1024;

/**
 * Memory for what is written to sockets. Most of it has left when `write` returns, and is used again: memory of its own for each piece would pile up
 * until it is collected, where a client makes many. A piece that waits in a socket keeps the memory it is in.
 */
export class WriteMemory {
  #block: Buffer = Buffer.alloc(0);
  #usedBytes = 0;

  /** To be filled and written before anything else is reserved. At most 128 KiB. */
  reserve(bytes: number): Buffer {
    if (this.#usedBytes + bytes > this.#block.length) {
      this.#block = Buffer.allocUnsafeSlow(blockBytes);
      this.#usedBytes = 0;
    }
    const start = this.#usedBytes;
    this.#usedBytes += bytes;
    return this.#block.subarray(start, start + bytes);
  }

  /** A piece has left. Its memory is used again if it was the last that was reserved. */
  giveBack({ buffer, byteOffset, length }: Buffer): void {
    const isLast = buffer === this.#block.buffer && byteOffset + length === this.#usedBytes;
    if (isLast) this.#usedBytes -= length;
  }
}

/** One for all connections: what is written at once needs no more. */
export const writeMemory: WriteMemory = new WriteMemory();
