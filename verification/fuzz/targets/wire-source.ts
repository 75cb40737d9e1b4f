/** Reads an input as a sequence of decisions. After its end every byte is 0. */
export class WireSource {
  private readonly bytes: Uint8Array;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get isEmpty(): boolean {
    return this.at >= this.bytes.length;
  }

  byte(): number {
    return this.bytes[this.at++] ?? 0;
  }

  uint16(): number {
    return (this.byte() << 8) | this.byte();
  }

  /** Returns `count` bytes, or fewer at the end. */
  take(count: number): Uint8Array {
    const taken = this.bytes.subarray(this.at, this.at + count);
    this.at += count;
    return taken;
  }

  rest(): Uint8Array {
    return this.take(this.bytes.length);
  }
}
