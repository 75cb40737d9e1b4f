import { type Clock, createBackoff, type Log } from "@tercel/grpc";
import { pause, thrownText } from "@tercel/grpc/internal";

/** Runtime after which a task counts as started, which resets its backoff. */
const settledMs = 60_000;

export interface BackgroundTasks {
  /** Aborts the tasks' signal; resolves when all have ended. */
  stop(): Promise<void>;
}

/** Runs tasks until they are stopped. A failed task is restarted with backoff from 1 s to a minute; one that resolves is done. */
export function startBackgroundTasks(
  tasks: Readonly<Record<string, (signal: AbortSignal) => Promise<void>>>,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): BackgroundTasks {
  const stopping = new AbortController();
  const { signal } = stopping;
  const backoff = createBackoff({ initialDelayMs: 1_000, multiplier: 2, maxDelayMs: 60_000 });

  async function keepRunning(name: string, task: (signal: AbortSignal) => Promise<void>): Promise<void> {
    for (let failures = 0; !signal.aborted; failures++) {
      const startedMs = clock.nowMs();
      try {
        await task(signal);
        if (!signal.aborted) log.info("background task done", { task: name });
        return;
      } catch (error) {
        // An error caused by the stop is not a failure.
        if (signal.aborted) return;
        if (clock.nowMs() - startedMs >= settledMs) failures = 0;
        const delayMs = Math.round(backoff(failures));
        log.error("background task failed", { task: name, restartInMs: delayMs, error: thrownText(error) });
        await pause(clock, delayMs, signal);
      }
    }
  }

  const running = Object.entries(tasks).map(([name, task]) => keepRunning(name, task));
  return {
    async stop() {
      stopping.abort(new Error("the service is stopping"));
      await Promise.all(running);
    },
  };
}
