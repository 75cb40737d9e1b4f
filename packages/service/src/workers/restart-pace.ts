import { createBackoff } from "@tercel/grpc";
import type { Backoff } from "@tercel/grpc/naming";

/** A worker that was ready for this long had no trouble in starting: the next one follows at once. */
const settledMs = 10_000;
/** Long enough not to burn a core, short enough that a hiccup of the database goes unnoticed. */
const firstDelayMs = 200;
const maxDelayMs = 30_000;

/** Says when a worker that has ended is followed by another, and when that has no sense any more. It has no clock of its own. */
export class RestartPace {
  readonly #maxFailedStarts: number;
  readonly #backoff: Backoff;
  /** Ends in a row, of each worker's number, that were no settled worker's. */
  readonly #unsettled = new Map<number, number>();
  #failedStarts = 0;

  /** `maxFailedStarts`: workers that may end in a row before one is ready. */
  constructor(maxFailedStarts: number, random?: () => number) {
    this.#maxFailedStarts = maxFailedStarts;
    this.#backoff = createBackoff({
      initialDelayMs: firstDelayMs,
      multiplier: 2,
      maxDelayMs,
      ...(random !== undefined && { random }),
    });
  }

  /** Workers that have ended in a row, of all, without one becoming ready. */
  get failedStarts(): number {
    return this.#failedStarts;
  }

  /** Whether starting another is of no use. It is while others serve: they may go on doing so. */
  givesUp(readyWorkers: number): boolean {
    return readyWorkers === 0 && this.#failedStarts >= this.#maxFailedStarts;
  }

  ready(): void {
    this.#failedStarts = 0;
  }

  /** A worker has ended that was ready for `readyMs`, or never. Returns the pause before the next. */
  ended(worker: number, readyMs: number | undefined): number {
    if (readyMs === undefined) this.#failedStarts++;
    if (readyMs !== undefined && readyMs >= settledMs) {
      this.#unsettled.delete(worker);
      return 0;
    }
    const earlier = this.#unsettled.get(worker) ?? 0;
    this.#unsettled.set(worker, earlier + 1);
    // The first loss may be an accident; a second one soon after it is not.
    return readyMs !== undefined && earlier === 0 ? 0 : this.#backoff(earlier);
  }
}
