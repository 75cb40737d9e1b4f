/** Reads an input as a row of decisions; behind its end every octet is 0. */
export class OctetSource {
  private readonly octets: Uint8Array;
  private at = 0;

  constructor(octets: Uint8Array) {
    this.octets = octets;
  }

  get isEmpty(): boolean {
    return this.at >= this.octets.length;
  }

  octet(): number {
    return this.octets[this.at++] ?? 0;
  }

  uint16(): number {
    return (this.octet() << 8) | this.octet();
  }

  /** At most `count` octets, fewer at the end. */
  take(count: number): Uint8Array {
    const taken = this.octets.subarray(this.at, this.at + count);
    this.at += count;
    return taken;
  }

  rest(): Uint8Array {
    return this.take(this.octets.length);
  }
}
