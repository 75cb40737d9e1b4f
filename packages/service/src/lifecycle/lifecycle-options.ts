import type { Clock, Log } from "@tercel/grpc";
import { checkWholeNumber, refuseUnknownOptions } from "@tercel/grpc/internal";

export interface LifecycleOptions {
  /**
   * Signals that stop the program: the first gracefully, a second one, half a second later or more, without further waiting.
   * Default SIGINT, SIGTERM and SIGHUP.
   */
  readonly signals?: readonly NodeJS.Signals[];
  /** Stops too when it aborts, with its reason. */
  readonly signal?: AbortSignal;
  /**
   * Between NOT_SERVING and the end of accepting calls, so that balancers hear of it first. Default 0: clients that hear
   * GOAWAY lose no call. Behind balancers that only ask the health from time to time, set the time they take.
   */
  readonly propagationMs?: number;
  /** How long calls may take to end once the server drains; then they are cancelled. Default 30,000. */
  readonly drainMs?: number;
  /** How long one resource may take to stop; then it is left behind and reported. Default 10,000. */
  readonly stopTimeoutMs?: number;
  /** Default: warnings and errors as JSON lines on standard error. */
  readonly log?: Log;
  /** For tests. */
  readonly clock?: Clock;
}

export const lifecycleOptionNames: readonly (keyof LifecycleOptions)[] = [
  "signals",
  "signal",
  "propagationMs",
  "drainMs",
  "stopTimeoutMs",
  "log",
  "clock",
];

/** @throws TypeError or RangeError that names the option */
export function checkLifecycleOptions(
  where: string,
  options: LifecycleOptions,
  names: readonly string[] = lifecycleOptionNames,
): void {
  refuseUnknownOptions(where, options, names);
  checkWholeNumber(where, "propagationMs", options.propagationMs, 0, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "drainMs", options.drainMs, 0, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "stopTimeoutMs", options.stopTimeoutMs, 1, Number.MAX_SAFE_INTEGER);
}
