import { createBackoff } from "@tercel/grpc";
import type { Backoff } from "@tercel/grpc/naming";

/** Time after which a ready worker counts as stable: its successor starts at once. */
const settledMs = 10_000;
/** First delay: long enough not to burn a core, short enough to hide a brief failure of the database. */
const firstDelayMs = 200;
const maxDelayMs = 30_000;

/** Decides when a worker is restarted, and when to give up. It has no clock. */
export class RestartPace {
  readonly #maxFailedStarts: number;
  readonly #backoff: Backoff;
  /** Consecutive exits of unstable workers, by worker number. */
  readonly #unsettled = new Map<number, number>();
  #failedStarts = 0;

  /** `maxFailedStarts`: number of workers that may exit in a row before one is ready. */
  constructor(maxFailedStarts: number, random?: () => number) {
    this.#maxFailedStarts = maxFailedStarts;
    this.#backoff = createBackoff({
      initialDelayMs: firstDelayMs,
      multiplier: 2,
      maxDelayMs,
      ...(random !== undefined && { random }),
    });
  }

  /** Number of workers that exited in a row without one becoming ready. */
  get failedStarts(): number {
    return this.#failedStarts;
  }

  /** Whether to give up; never while other workers serve. */
  givesUp(readyWorkers: number): boolean {
    return readyWorkers === 0 && this.#failedStarts >= this.#maxFailedStarts;
  }

  ready(): void {
    this.#failedStarts = 0;
  }

  /** Records the exit of a worker that was ready for `readyMs`, or never. Returns the delay before the next start. */
  ended(worker: number, readyMs: number | undefined): number {
    if (readyMs === undefined) this.#failedStarts++;
    if (readyMs !== undefined && readyMs >= settledMs) {
      this.#unsettled.delete(worker);
      return 0;
    }
    const earlier = this.#unsettled.get(worker) ?? 0;
    this.#unsettled.set(worker, earlier + 1);
    // A first exit may be an accident; a second one soon after is not.
    return readyMs !== undefined && earlier === 0 ? 0 : this.#backoff(earlier);
  }
}
