import type { Clock } from "./clock.ts";

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
