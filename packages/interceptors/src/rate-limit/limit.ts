import { type OptionsOf, oneOf, readOptions, wholeNumber } from "../call/options.ts";

export const limitOptions = {
  /** Calls in a window. */
  requests: wholeNumber(1, 1_000_000_000).required(),
  /** The length of a window. It begins with a client's first call, and the next one with the first call after its end. */
  per: oneOf("second", "minute", "hour", "day").required(),
};

/** How many calls a client may make in a window, such as `{ requests: 100, per: "minute" }`. */
export type Limit = Readonly<OptionsOf<typeof limitOptions>>;

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
  readOptions(where, limitOptions, limit);
}
