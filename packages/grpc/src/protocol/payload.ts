const noBytes = new Uint8Array(0);

/**
 * One message as it travels, in `bytes` from `start` to `end`. Whoever passes one on may use the same object for the next message: take what
 * you need of it before you return, and before you pass it on yourself.
 */
export class Payload {
  bytes: Uint8Array = noBytes;
  start = 0;
  end = 0;
  compressed = false;
  /**
   * The bytes belong to the message: no one else will write to them, so that views of them may be kept and their memory freed. Otherwise they are
   * only borrowed until the call returns.
   */
  owned = false;

  get length(): number {
    return this.end - this.start;
  }

  /** The bytes alone, as a view where they are part of a larger buffer. */
  get content(): Uint8Array {
    const { bytes, start, end } = this;
    return start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end);
  }

  /** A message in memory that will be used again. */
  borrow(bytes: Uint8Array, start: number, end: number, compressed: boolean): this {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.compressed = compressed;
    this.owned = false;
    return this;
  }

  /** A message that is all of `bytes`. */
  whole(bytes: Uint8Array, compressed: boolean, owned: boolean): this {
    this.bytes = bytes;
    this.start = 0;
    this.end = bytes.length;
    this.compressed = compressed;
    this.owned = owned;
    return this;
  }

  /** Lets go of the bytes, so that they can be collected. */
  clear(): void {
    this.bytes = noBytes;
    this.start = 0;
    this.end = 0;
  }
}
