/** Up to this, a copy byte by byte takes less time than to make the view that another way would need. */
const maxCopiedByLoop = 64;

const noBytes = new Uint8Array(0);

/** Whose memory the bytes of a payload are in. */
export interface PayloadLender {
  /** The bytes in memory that no one will write to again. */
  copy(bytes: Uint8Array, start: number, end: number): Uint8Array;
  /** The payload has left. */
  takeBack(payload: Payload): void;
}

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

  /** Uses the memory again once the payload is cleared. */
  private lender: PayloadLender | undefined = undefined;

  get length(): number {
    return this.end - this.start;
  }

  /** The bytes alone: as a view where they are part of a larger buffer, and as a copy where they are lent. */
  get content(): Uint8Array {
    return this.lender === undefined ? this.view : this.lender.copy(this.bytes, this.start, this.end);
  }

  /** The bytes alone, as a view that is good until the payload is cleared. */
  get view(): Uint8Array {
    const { bytes, start, end } = this;
    return start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end);
  }

  /** Copies the bytes to where a message of `target` begins. */
  copyTo(target: Uint8Array, at: number): void {
    const { bytes, start, end } = this;
    if (end - start > maxCopiedByLoop) {
      target.set(this.view, at);
      return;
    }
    for (let from = start; from < end; from++) target[at++] = bytes[from] as number;
  }

  /** A message in memory that will be used again. */
  borrow(bytes: Uint8Array, start: number, end: number, compressed: boolean): this {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.compressed = compressed;
    this.owned = false;
    this.lender = undefined;
    return this;
  }

  /** A message in the lender's memory, until `clear`. */
  lend(lender: PayloadLender, bytes: Uint8Array, start: number, end: number): void {
    this.borrow(bytes, start, end, false);
    this.lender = lender;
  }

  /** A message that is all of `bytes`. */
  whole(bytes: Uint8Array, compressed: boolean, owned: boolean): this {
    this.bytes = bytes;
    this.start = 0;
    this.end = bytes.length;
    this.compressed = compressed;
    this.owned = owned;
    this.lender = undefined;
    return this;
  }

  /** Lets go of the bytes, so that they can be collected. */
  clear(): void {
    this.lender?.takeBack(this);
    this.lender = undefined;
    this.bytes = noBytes;
    this.start = 0;
    this.end = 0;
  }
}
