import type { Clock } from "@tercel/grpc";
import { isBusy } from "./sqlite-errors.ts";

/** The first pause between attempts, and the longest. */
const minPauseMs = 1;
const maxPauseMs = 50;

/**
 * Retries a statement that another process's lock blocks. SQLite's own `busy_timeout` would block the event loop.
 *
 * @throws SQLite's error once `timeoutMs` has passed
 */
export async function retryWhileBusy<T>(clock: Clock, timeoutMs: number, attempt: () => T): Promise<T> {
  const startMs = clock.nowMs();
  for (let pauseMs = minPauseMs; ; pauseMs = Math.min(pauseMs * 2, maxPauseMs)) {
    try {
      return attempt();
    } catch (error) {
      if (!isBusy(error) || clock.nowMs() - startMs >= timeoutMs) throw error;
    }
    // Randomized, so that processes do not keep colliding.
    const delayMs = pauseMs * (0.5 + Math.random());
    await new Promise<void>((resolve) => clock.after(delayMs, resolve, true));
  }
}
