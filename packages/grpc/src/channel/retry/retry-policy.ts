import type { CodeSet } from "./code-set.ts";

/** More attempts than this are cut down to it: a service config may come from a name system (gRFC A6). */
export const maxAttemptsCeiling = 5;

/** A call that failed is sent again, after a pause. As in `retryPolicy` of the service config (gRFC A6). */
export interface RetryPolicy {
  /** The first one included; 2 to 5. */
  readonly maxAttempts: number;
  readonly initialBackoffMs: number;
  readonly maxBackoffMs: number;
  readonly backoffMultiplier: number;
  readonly retryableCodes: CodeSet;
}

/** A call without a response is sent again while its first attempt continues. As in `hedgingPolicy` of the service config (gRFC A6). */
export interface HedgingPolicy {
  /** The first one included; 2 to 5. */
  readonly maxAttempts: number;
  /** From one attempt to the next. 0 sends all at once. */
  readonly hedgingDelayMs: number;
  /** An attempt that fails with one of these leaves the others running; any other code ends the call. */
  readonly nonFatalCodes: CodeSet;
}

/** Share by which a pause is varied both ways, so that clients that failed together do not come back together. */
const jitter = 0.2;

/** The pause before a retry. `earlierRetries` counts those since the beginning, or since a pause the server has set. */
export function retryDelayMs(policy: RetryPolicy, earlierRetries: number, random: () => number): number {
  const grown = policy.initialBackoffMs * policy.backoffMultiplier ** earlierRetries;
  return Math.min(grown, policy.maxBackoffMs) * (1 - jitter + 2 * jitter * random());
}
