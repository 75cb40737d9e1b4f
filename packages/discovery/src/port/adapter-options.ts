import { type Clock, createBackoff, type Log, systemClock } from "@tercel/grpc";
import { checkWholeNumber, safeLog } from "@tercel/grpc/internal";
import type { Backoff } from "@tercel/grpc/naming";

/** Options that all adapters share. */
export interface AdapterOptions {
  /** How long `register` tries before it rejects. Default 10,000: as long as an orchestrator waits for a start. */
  readonly registerTimeoutMs?: number;
  /** The pauses after failures. Default from 250 ms, growing by 1.6 up to 15 s, ±20 %. */
  readonly backoff?: Backoff;
  /** Default: warnings and errors as JSON lines on standard error. */
  readonly log?: Log;
  /** For tests. */
  readonly clock?: Clock;
}

export const adapterOptionNames: readonly (keyof AdapterOptions)[] = ["registerTimeoutMs", "backoff", "log", "clock"];

/** The shared options with their defaults. @throws RangeError for a number out of its bounds */
export function readAdapterOptions(where: string, options: AdapterOptions) {
  checkWholeNumber(where, "registerTimeoutMs", options.registerTimeoutMs, 1, 3_600_000);
  return {
    registerTimeoutMs: options.registerTimeoutMs ?? 10_000,
    backoff: options.backoff ?? createBackoff({ initialDelayMs: 250, maxDelayMs: 15_000 }),
    log: safeLog(options.log),
    clock: options.clock ?? systemClock,
  };
}
