/** As in `retryThrottling` of the service config (gRFC A6). */
export interface RetryThrottling {
  /** 1 to 1000. */
  readonly maxTokens: number;
  /** What a success gives back; counted in thousandths. */
  readonly tokenRatio: number;
}

/** Tokens are counted in thousandths: whole numbers do not drift. */
const parts = 1000;

/**
 * Keeps retries from finishing off a server that is in trouble: each failure takes a token, each success gives a part of one
 * back, and with half of them or fewer left nothing is sent a second time. All calls of a channel share one.
 */
export class RetryThrottle {
  readonly throttling: RetryThrottling;
  private readonly maxParts: number;
  private readonly gainParts: number;
  private leftParts: number;

  /** A throttle that replaces another begins as full or empty as that one was. */
  constructor(throttling: RetryThrottling, earlier?: RetryThrottle) {
    this.throttling = throttling;
    this.maxParts = throttling.maxTokens * parts;
    this.gainParts = Math.floor(throttling.tokenRatio * parts + 1e-9);
    this.leftParts =
      earlier === undefined ? this.maxParts : Math.round((earlier.leftParts / earlier.maxParts) * this.maxParts);
  }

  get tokens(): number {
    return this.leftParts / parts;
  }

  /** Nothing may be sent a second time now. */
  get isThrottling(): boolean {
    return this.leftParts <= this.maxParts / 2;
  }

  /** An attempt failed in a way that another one might fix, or the server forbade further attempts. */
  failed(): void {
    this.leftParts = Math.max(0, this.leftParts - parts);
  }

  succeeded(): void {
    this.leftParts = Math.min(this.maxParts, this.leftParts + this.gainParts);
  }
}
