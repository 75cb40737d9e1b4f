const none = new Uint8Array(0);

/** Freeing smaller buffers costs as much as it saves. */
const minFreedBytes = 16_384;

/**
 * Frees the memory of bytes from `take` that are no longer read, instead of leaving it to the garbage collector. Without this, a client that sends
 * bodies of 100 KB as fast as they are served let 300 MiB of them accumulate, and all calls waited while they were collected. Other references to
 * `bytes` become empty. A small part of a buffer is not freed, because it may belong to Node's pool.
 */
export function freeTaken({ buffer, byteOffset, length }: Uint8Array): void {
  if (!(buffer instanceof ArrayBuffer) || buffer.byteLength < minFreedBytes) return;
  if (byteOffset === 0 && 2 * length > buffer.byteLength) buffer.transfer(0);
}

/** Collects bytes in one buffer, so that a client that sends single bytes does not cause an object for each. */
export class GrowingBytes {
  #buffer: Uint8Array = none;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The allocated memory: at most twice the length, and exactly the length for a single chunk. */
  get capacity(): number {
    return this.#buffer.length;
  }

  /** Appends a copy of the bytes. */
  append(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (this.#length === 0) this.#buffer = new Uint8Array(bytes);
    else {
      if (length > this.#buffer.length) this.#grow(length);
      this.#buffer.set(bytes, this.#length);
    }
    this.#length = length;
  }

  /** Returns the collected bytes, and starts again. */
  take(): Uint8Array {
    const bytes = this.#length === this.#buffer.length ? this.#buffer : this.#buffer.subarray(0, this.#length);
    this.#begin();
    return bytes;
  }

  /** Drops the collected bytes. */
  clear(): void {
    freeTaken(this.#buffer);
    this.#begin();
  }

  #begin(): void {
    this.#buffer = none;
    this.#length = 0;
  }

  #grow(length: number): void {
    const larger = new Uint8Array(Math.max(length, 2 * this.#length));
    larger.set(this.#buffer.subarray(0, this.#length));
    freeTaken(this.#buffer);
    this.#buffer = larger;
  }
}
