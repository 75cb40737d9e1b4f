import type { Clock } from "@tercel/grpc";

/** A clock that runs one timer at a time. */
export interface MeshClock extends Clock {
  /** Number of pending timers. */
  readonly pendingTimers: number;
  /**
   * Advances to the next timer that is due by `untilMs`, runs it, and resolves to true when its effects have settled. Without such a timer, advances to
   * `untilMs` and resolves to false.
   */
  step(untilMs: number): Promise<boolean>;
  /** Resolves when everything that needs no time has settled. */
  settle(): Promise<void>;
}

interface Timer {
  readonly dueMs: number;
  readonly run: () => void;
}

/** Start time, above 0 so that there are earlier times. */
const startMs = 1_000_000;
/** Turns of the event loop until a message between two services has settled. */
const turnsToSettle = 16;

/** Creates a clock that runs simultaneous timers in an order chosen by `random`. */
export function createMeshClock(random: () => number): MeshClock {
  let nowMs = startMs;
  const timers = new Set<Timer>();

  function takeNext(untilMs: number): Timer | undefined {
    let due: Timer[] = [];
    for (const timer of timers) {
      const earliest = due[0]?.dueMs ?? untilMs;
      if (timer.dueMs > earliest) continue;
      if (timer.dueMs < earliest) due = [];
      due.push(timer);
    }
    const next = due.length < 2 ? due[0] : due[Math.floor(random() * due.length)];
    if (next !== undefined) timers.delete(next);
    return next;
  }

  const clock: MeshClock = {
    nowMs: () => nowMs,
    after(delayMs, run) {
      const timer = { dueMs: nowMs + Math.max(0, delayMs), run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    get pendingTimers() {
      return timers.size;
    },
    async step(untilMs) {
      await clock.settle();
      const next = takeNext(untilMs);
      if (next === undefined) {
        nowMs = Math.max(nowMs, untilMs);
        return false;
      }
      nowMs = Math.max(nowMs, next.dueMs);
      next.run();
      await clock.settle();
      return true;
    },
    async settle() {
      for (let turn = 0; turn < turnsToSettle; turn++) await new Promise((resolve) => setImmediate(resolve));
    },
  };
  return clock;
}
