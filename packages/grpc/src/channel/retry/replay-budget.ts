/**
 * Memory that the calls of one channel may hold so as to send requests again: without a common bound many slow calls would
 * add up. gRPC's limits: 256 KiB for a call, 16 MiB for a channel.
 */
export class ReplayBudget {
  readonly maxBytesPerCall: number;
  private readonly maxBytes: number;
  private heldBytes = 0;

  constructor(maxBytesPerCall: number, maxBytes: number) {
    this.maxBytesPerCall = maxBytesPerCall;
    this.maxBytes = maxBytes;
  }

  get usedBytes(): number {
    return this.heldBytes;
  }

  /** Whether a call that holds `held` may hold `more` in addition; if so, `more` counts until `release`. */
  reserve(held: number, more: number): boolean {
    if (held + more > this.maxBytesPerCall || this.heldBytes + more > this.maxBytes) return false;
    this.heldBytes += more;
    return true;
  }

  release(bytes: number): void {
    this.heldBytes -= bytes;
  }
}
