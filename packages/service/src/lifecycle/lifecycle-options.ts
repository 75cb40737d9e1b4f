import type { Clock, Log } from "@tercel/grpc";
import { checkWholeNumber, refuseUnknownOptions } from "@tercel/grpc/internal";

export interface LifecycleOptions {
  /**
   * Signals that stop the program: the first one gracefully, a second one, at least half a second later, at once. Default SIGINT, SIGTERM and SIGHUP.
   */
  readonly signals?: readonly NodeJS.Signals[];
  /** Stops the program when aborted, with its reason. */
  readonly signal?: AbortSignal;
  /**
   * Delay between NOT_SERVING and the end of accepting calls, so that balancers notice it. Default 0: clients that receive GOAWAY lose no call. With
   * balancers that poll the health, set their polling interval.
   */
  readonly propagationMs?: number;
  /** Time for calls to end while the server drains, in milliseconds; then they are cancelled. Default 30,000. */
  readonly drainMs?: number;
  /** Time for one part to stop, in milliseconds; then it is abandoned and reported. Default 10,000. */
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

/** Validates the options. @throws TypeError or RangeError that names the option */
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
