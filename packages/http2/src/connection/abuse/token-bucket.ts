/**
 * A budget that refills with time: `burst` at once, `perSecond` for ever. Acts that are legal one by one and an attack
 * in number are paid from it (nghttp2's model).
 */
export class TokenBucket {
  private tokens: number;
  private readonly burst: number;
  private readonly perMs: number;
  private filledAtMs = Number.NaN;

  constructor(burst: number, perSecond: number) {
    this.tokens = burst;
    this.burst = burst;
    this.perMs = perSecond / 1000;
  }

  /** Takes one token; false when none is left. */
  take(nowMs: number): boolean {
    if (this.tokens < this.burst && nowMs > this.filledAtMs) {
      this.tokens = Math.min(this.burst, this.tokens + (nowMs - this.filledAtMs) * this.perMs);
    }
    this.filledAtMs = nowMs;
    if (this.tokens < 1) return false;
    this.tokens -= 1;
    return true;
  }

  /** Gives tokens back, for good conduct. */
  refund(tokens: number): void {
    this.tokens = Math.min(this.burst, this.tokens + tokens);
  }
}
