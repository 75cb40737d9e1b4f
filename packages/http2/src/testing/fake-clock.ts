import type { Clock } from "../connection/time/clock.ts";

interface Timer {
  readonly dueMs: number;
  readonly run: () => void;
}

/** A {@link Clock} that changes only when `advance` is called. It starts at 0. */
export class FakeClock implements Clock {
  private now = 0;
  private timers: Timer[] = [];

  nowMs(): number {
    return this.now;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer: Timer = { dueMs: this.now + delayMs, run };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }

  /** How many timers have been neither run nor called off: 0 once everything that used the clock is closed. */
  get pendingTimers(): number {
    return this.timers.length;
  }

  /** Moves time on by `ms`, running what falls due on the way: earliest first, those due together in the order set. */
  advance(ms: number): void {
    const until = this.now + ms;
    for (;;) {
      let next: Timer | undefined;
      for (const timer of this.timers) {
        if (timer.dueMs <= until && (next === undefined || timer.dueMs < next.dueMs)) next = timer;
      }
      if (next === undefined) break;
      const due = next;
      this.timers = this.timers.filter((other) => other !== due);
      this.now = Math.max(this.now, due.dueMs);
      due.run();
    }
    this.now = until;
  }
}
