import type { Clock, Log } from "@tercel/grpc";
import { LinePace, thrownText } from "@tercel/grpc/internal";

/** What is asked of the store. */
export type StoreStep = "begin" | "renew" | "complete" | "release";

/** Failures of a step are logged at most once in this time. */
const periodMs = 10_000;

/** Logs that the store has failed. A store that is down fails with every call, and one line with its stack says as much as a thousand. */
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
    this.#log.error("the store of idempotency keys failed", {
      step,
      method,
      error: thrownText(error),
      ...(suppressed > 0 && { suppressed }),
    });
  }
}
