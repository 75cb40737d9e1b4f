import { type OptionsOf, oneOf, readOptions, wholeNumber } from "../call/options.ts";

export const limitOptions = {
  /** The maximum number of calls in a window. */
  requests: wholeNumber(1, 1_000_000_000).required(),
  /** The length of a window. It starts with a client's first call, and the next one with the first call after its end. */
  per: oneOf("second", "minute", "hour", "day").required(),
};

/** How many calls a client may make in a window, such as `{ requests: 100, per: "minute" }`. */
export type Limit = Readonly<OptionsOf<typeof limitOptions>>;

export const windowSeconds: Readonly<Record<Limit["per"], number>> = { second: 1, minute: 60, hour: 3600, day: 86_400 };

/** The result of counting a call. */
export interface Verdict {
  readonly isAllowed: boolean;
  /** The time until the end of the window. */
  readonly retryAfterMs: number;
}

/** A store of call counts. */
export interface RateLimitStore {
  /** Counts one call under a key, synchronously or not. If it throws or rejects, `onStoreFailure` decides about the call. */
  take(key: string, limit: Limit): Verdict | Promise<Verdict>;
}

/** @throws TypeError or RangeError for an invalid limit */
export function checkLimit(where: string, limit: Limit): void {
  readOptions(where, limitOptions, limit);
}
