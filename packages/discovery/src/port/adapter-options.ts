import { type Clock, createBackoff, type Log, systemClock } from "@tercel/grpc";
import { checkWholeNumber, safeLog } from "@tercel/grpc/internal";
import type { Backoff } from "@tercel/grpc/naming";

/** The options that all adapters have in common. */
export interface AdapterOptions {
  /** How long `register` retries before it rejects. Default 10,000: about as long as an orchestrator waits for a process to start. */
  readonly registerTimeoutMs?: number;
  /** The delays after failures. Default: 250 ms at first, ×1.6 after each failure, at most 15 s, ±20 %. */
  readonly backoff?: Backoff;
  /** The log. Default: warnings and errors as JSON lines on standard error. */
  readonly log?: Log;
  /** For tests. */
  readonly clock?: Clock;
}

export const adapterOptionNames: readonly (keyof AdapterOptions)[] = ["registerTimeoutMs", "backoff", "log", "clock"];

/** Returns the common options with their defaults. @throws RangeError for a number that is out of range */
export function readAdapterOptions(where: string, options: AdapterOptions) {
  checkWholeNumber(where, "registerTimeoutMs", options.registerTimeoutMs, 1, 3_600_000);
  return {
    registerTimeoutMs: options.registerTimeoutMs ?? 10_000,
    backoff: options.backoff ?? createBackoff({ initialDelayMs: 250, maxDelayMs: 15_000 }),
    log: safeLog(options.log),
    clock: options.clock ?? systemClock,
  };
}
