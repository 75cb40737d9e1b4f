import type { ByteCount } from "./progress-counter.ts";

/** How far a job is. */
export interface JobProgress extends ByteCount {
  readonly phase: "waiting" | "scanning" | "reading" | "verifying" | "publishing";
  /** Absent until it is known. */
  readonly filesTotal?: number | undefined;
  /** While the source or the archive is read. */
  readonly bytesPerSecond?: number | undefined;
}

/** At most ten updates a second reach a watcher. */
const minIntervalMs = 100;

/** Passes progress to one watcher, who may be slow: it always gets the latest state, and the job never waits. */
export class ProgressFeed {
  #latest: JobProgress | undefined;
  #hasEnded = false;
  /** Called with each update, whether somebody watches or not. */
  onUpdate: (progress: JobProgress) => void = () => {};
  #wake: () => void = () => {};

  update(progress: JobProgress): void {
    this.#latest = progress;
    this.onUpdate(progress);
    this.#wake();
  }

  /** What has not been taken by now is dropped. */
  end(): void {
    this.#hasEnded = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<JobProgress> {
    let takenAtMs = Number.NEGATIVE_INFINITY;
    while (!this.#hasEnded) {
      const latest = this.#latest;
      const waitMs = takenAtMs + minIntervalMs - performance.now();
      if (latest === undefined) {
        await this.#nextWake();
      } else if (waitMs > 0) {
        await this.#nextWake(waitMs);
      } else {
        this.#latest = undefined;
        takenAtMs = performance.now();
        yield latest;
      }
    }
  }

  /** Resolves with the next update, or with the end, or after the time; with one that is given, updates do not count. */
  #nextWake(afterMs?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = afterMs === undefined ? undefined : setTimeout(resolve, afterMs);
      this.#wake = () => {
        if (timer !== undefined && !this.#hasEnded) return;
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
