import type { Clock } from "@tercel/grpc";

/** A clock that runs one timer at a time. */
export interface MeshClock extends Clock {
  /** Timers that would still fire. */
  readonly pendingTimers: number;
  /**
   * Moves on to the next timer that is due until then, runs it, and resolves to true when everything has settled that follows from it. Without one it moves
   * on to that time and resolves to false.
   */
  step(untilMs: number): Promise<boolean>;
  /** Resolves when everything has settled that needs no time. */
  settle(): Promise<void>;
}

interface Timer {
  readonly dueMs: number;
  readonly run: () => void;
}

/** So that there is a past to be in. */
const startMs = 1_000_000;
/** A message between two services takes a few turns of the event loop in each direction. */
const turnsToSettle = 16;

/** Makes a clock whose timers of the same moment run in an order that `random` chooses. */
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
