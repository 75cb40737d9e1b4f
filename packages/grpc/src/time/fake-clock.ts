import type { Clock } from "./clock.ts";

/** A clock that changes only when a test advances it. */
export interface FakeClock extends Clock {
  /**
   * Moves on by `ms` and runs the timers that fall due on the way, in order of time and then of making; each sees the time it
   * was due at. Before, between them, and before this resolves, whatever is going on in promises runs: so timers that are about
   * to be set count from now.
   */
  advance(ms: number): Promise<void>;
  /** Timers that would still fire. */
  readonly pendingTimers: number;
  /** Of these, those that keep the process alive. */
  readonly holdingTimers: number;
}

interface Timer {
  readonly dueMs: number;
  readonly run: () => void;
  readonly holdsProcess: boolean;
}

/** Starts at one million milliseconds, so that there is a past to be in. */
const startMs = 1_000_000;

/** Makes a clock for the `clock` option of servers and channels, so that deadlines pass without waiting. */
export function createFakeClock(): FakeClock {
  let nowMs = startMs;
  const timers = new Set<Timer>();

  function takeNext(untilMs: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of timers) {
      if (timer.dueMs <= untilMs && (next === undefined || timer.dueMs < next.dueMs)) next = timer;
    }
    if (next !== undefined) timers.delete(next);
    return next;
  }

  return {
    nowMs: () => nowMs,
    after(delayMs, run, holdsProcess = false) {
      const timer = { dueMs: nowMs + Math.max(0, delayMs), run, holdsProcess };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    get pendingTimers() {
      return timers.size;
    },
    get holdingTimers() {
      return [...timers].filter((timer) => timer.holdsProcess).length;
    },
    async advance(ms) {
      await promisesSettled();
      const untilMs = nowMs + ms;
      for (let timer = takeNext(untilMs); timer !== undefined; timer = takeNext(untilMs)) {
        nowMs = Math.max(nowMs, timer.dueMs);
        timer.run();
        await promisesSettled();
      }
      nowMs = untilMs;
      await promisesSettled();
    },
  };
}

/** Resolves when every promise has settled that can by itself: an immediate comes when no promise job is left. */
export function promisesSettled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
