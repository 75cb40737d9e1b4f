import type { Clock, Log } from "@tercel/grpc";
import { LinePace, thrownText } from "@tercel/grpc/internal";

/** The operations of the store. */
export type StoreStep = "begin" | "renew" | "complete" | "release";

/** The minimum time between two log lines for the same operation. */
const periodMs = 10_000;

/** Logs failures of the store, at a limited rate: a store that is down fails for every call. */
export class FailureLog {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #paces = new Map<StoreStep, LinePace>();

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  report(step: StoreStep, method: string, error: unknown): void {
    const pace = this.#paces.get(step) ?? new LinePace(1, periodMs);
    this.#paces.set(step, pace);
    if (!pace.allows(this.#clock.nowMs())) return;
    const suppressed = pace.takeSuppressed();
    this.#log.error("idempotency store failed", {
      step,
      method,
      error: thrownText(error),
      ...(suppressed > 0 && { suppressed }),
    });
  }
}
