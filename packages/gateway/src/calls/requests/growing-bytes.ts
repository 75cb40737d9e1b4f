const none = new Uint8Array(0);

/** Below, freeing costs as much as it saves. */
const minFreedBytes = 16_384;

/**
 * Frees the memory of what `take` has handed over, which no one reads any more, instead of leaving it to the garbage collector: a client that sends
 * bodies of 100 KB as fast as they are answered made 300 MiB of them pile up, and every call wait while they were collected. Whoever still holds
 * `bytes` finds them empty. A smaller part of a buffer is left alone: Node gives such parts of its pool.
 */
export function freeTaken({ buffer, byteOffset, length }: Uint8Array): void {
  if (!(buffer instanceof ArrayBuffer) || buffer.byteLength < minFreedBytes) return;
  if (byteOffset === 0 && 2 * length > buffer.byteLength) buffer.transfer(0);
}

/** Bytes that come in pieces, kept in one buffer: a client that sends one at a time must not make an object of each. */
export class GrowingBytes {
  #buffer: Uint8Array = none;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Memory that is held; at most twice the length, and as much as the first piece. */
  get capacity(): number {
    return this.#buffer.length;
  }

  /** Copies the bytes. */
  append(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (this.#length === 0) this.#buffer = new Uint8Array(bytes);
    else {
      if (length > this.#buffer.length) this.#grow(length);
      this.#buffer.set(bytes, this.#length);
    }
    this.#length = length;
  }

  /** Hands over what has come, and begins from nothing. */
  take(): Uint8Array {
    const bytes = this.#length === this.#buffer.length ? this.#buffer : this.#buffer.subarray(0, this.#length);
    this.#begin();
    return bytes;
  }

  /** No one wants what has come. */
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
