/**
 * So many calls a client may make, counted from the first one on; the next window begins with the first call after its end. Read with each call, so that
 * getters may change it later; it is checked at the start.
 */
export interface Limit {
  readonly requests: number;
  readonly per: "second" | "minute" | "hour" | "day";
}

export const windowSeconds: Readonly<Record<Limit["per"], number>> = { second: 1, minute: 60, hour: 3600, day: 86_400 };

/** What a store says to one more call. */
export interface Verdict {
  readonly isAllowed: boolean;
  /** Until the window ends. */
  readonly retryAfterMs: number;
}

/** Where calls are counted. */
export interface RateLimitStore {
  /** Counts one call under a key. At once or later; it may fail, and then `onStoreFailure` decides. */
  take(key: string, limit: Limit): Verdict | Promise<Verdict>;
}

/** @throws TypeError or RangeError that says what a limit looks like */
export function checkLimit(where: string, limit: Limit): void {
  if (typeof limit !== "object" || limit === null || !Object.hasOwn(windowSeconds, limit.per)) {
    throw new TypeError(`${where} has to be such as { requests: 100, per: "minute" }; per second, minute, hour or day`);
  }
  if (Number.isInteger(limit.requests) && limit.requests >= 1 && limit.requests <= 1_000_000_000) return;
  throw new RangeError(`${where}: requests is ${limit.requests}; it has to be a whole number from 1 to 1000000000`);
}
