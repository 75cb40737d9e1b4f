import type { Clock } from "@tercel/grpc";
import { DatabaseUnavailable } from "../database-errors.ts";

interface Waiter {
  readonly grant: () => void;
  readonly cancelTimer: () => void;
}

/** Serializes writers, first come, first served: SQLite has one writer, and two transactions on its connection would mix. */
export class WriterQueue {
  readonly #description: string;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #waiting = new Set<Waiter>();
  #isHeld = false;
  #heldSinceMs = 0;

  /**
   * @param description of the database, for errors
   * @param timeoutMs timeout of `acquire`
   */
  constructor(description: string, clock: Clock, timeoutMs: number) {
    this.#description = description;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Waits for the caller's turn; then `release` must be called. Rejects with DatabaseUnavailable after the timeout. */
  acquire(): Promise<void> {
    if (!this.#isHeld) {
      this.#hold();
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const expire = (): void => {
        this.#waiting.delete(waiter);
        const heldMs = Math.round(this.#clock.nowMs() - this.#heldSinceMs);
        const text =
          `timeout after ${this.#timeoutMs} ms waiting for the writer; the running transaction began ${heldMs} ms ago, and ` +
          `${this.#waiting.size} more are waiting; keep transactions short`;
        reject(new DatabaseUnavailable(this.#description, new Error(text)));
      };
      const cancelTimer = this.#clock.after(this.#timeoutMs, expire, true);
      const waiter: Waiter = { grant: resolve, cancelTimer };
      this.#waiting.add(waiter);
    });
  }

  release(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#isHeld = false;
      return;
    }
    this.#waiting.delete(next);
    next.cancelTimer();
    this.#hold();
    next.grant();
  }

  #hold(): void {
    this.#isHeld = true;
    this.#heldSinceMs = this.#clock.nowMs();
  }
}
