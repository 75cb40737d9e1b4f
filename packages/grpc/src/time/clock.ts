// Not the global of that name: looking that up runs a getter, a fifth of what reading the time costs.
import { performance } from "node:perf_hooks";

/** Where time comes from, so that tests can bring their own. */
export interface Clock {
  /** Milliseconds that never run backwards. */
  nowMs(): number;
  /**
   * Calls `run` once after `delayMs`; the returned function calls it off. The process may end before, unless
   * `holdsProcess` is set.
   */
  after(delayMs: number, run: () => void, holdsProcess?: boolean): () => void;
}

/** `setTimeout` takes at most this much and fires at once beyond. */
const maxTimerMs = 0x7fff_ffff;

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  after(delayMs, run, holdsProcess = false) {
    const timer = setTimeout(run, Math.min(delayMs, maxTimerMs));
    if (!holdsProcess) timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Resolves after `delayMs`, or at once when the signal aborts; it never rejects. `holdsProcess`: the process waits for it. */
export function pause(clock: Clock, delayMs: number, signal: AbortSignal, holdsProcess = false): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const end = (): void => {
      cancel();
      signal.removeEventListener("abort", end);
      resolve();
    };
    const cancel = clock.after(delayMs, end, holdsProcess);
    signal.addEventListener("abort", end);
  });
}
