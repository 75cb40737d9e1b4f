import type { Clock } from "../../call/clock.ts";

interface Timer {
  readonly dueMs: number;
  readonly run: () => void;
  readonly holdsProcess: boolean;
}

/** A clock that stands still until a test moves it. */
export class FakeClock implements Clock {
  #nowMs = 1000;
  readonly #timers = new Set<Timer>();

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void, holdsProcess = false): () => void {
    const timer = { dueMs: this.#nowMs + delayMs, run, holdsProcess };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Timers that would still fire. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Timers that keep the process alive. */
  get holdingTimers(): number {
    return [...this.#timers].filter((timer) => timer.holdsProcess).length;
  }

  /** Moves on and fires what falls due on the way, in order of time; then lets promises settle. */
  async advance(byMs: number): Promise<void> {
    const untilMs = this.#nowMs + byMs;
    for (;;) {
      const due = [...this.#timers].filter((timer) => timer.dueMs <= untilMs).sort((a, b) => a.dueMs - b.dueMs)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#nowMs = Math.max(this.#nowMs, due.dueMs);
      due.run();
      await settle();
    }
    this.#nowMs = untilMs;
    await settle();
  }
}

/** Lets every promise that can settle do so: microtasks run dry before an immediate. */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
