import type { Clock } from "@tercel/grpc";
import { orAborted } from "./or-aborted.ts";

/** Resolves after `delayMs`; rejects at once when the signal aborts. `holdsProcess`: the timer keeps the process alive. */
export function pauseOrAborted(
  clock: Clock,
  delayMs: number,
  signal: AbortSignal,
  holdsProcess = false,
): Promise<void> {
  let cancelTimer = (): void => {};
  const passed = new Promise<void>((resolve) => {
    cancelTimer = clock.after(delayMs, resolve, holdsProcess);
  });
  return orAborted(passed, signal).finally(() => cancelTimer());
}
