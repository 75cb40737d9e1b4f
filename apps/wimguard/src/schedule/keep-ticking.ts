import type { Log } from "@tercel/grpc";
import { thrownText } from "@tercel/grpc/internal";
import type { Notifier } from "../notify/notifier.ts";
import type { RunRegistry } from "../runs/run-registry.ts";
import type { Scheduler } from "./scheduler.ts";

export interface TickingParts {
  readonly scheduler: Scheduler;
  readonly notifier: Notifier;
  /** Looks for what is wrong without any run. */
  readonly watchState: () => void;
  /** Starts to prune repositories that are due. */
  readonly prune: () => void;
  readonly runs: RunRegistry;
  readonly log: Log;
}

/** The clock is looked at so often: it may have been set, or the machine may have slept. */
const tickEveryMs = 15_000;

/**
 * Lets a scheduler look at the time now and then, and whenever a run ends, and notifications be delivered. The function that is returned ends
 * that.
 */
export function keepTicking({ scheduler, notifier, watchState, prune, runs, log }: TickingParts): () => Promise<void> {
  let hasStopped = false;
  let ticking = Promise.resolve();
  const tick = (): void => {
    if (hasStopped) return;
    ticking = ticking
      .then(async () => {
        await scheduler.tick();
        prune();
        watchState();
        await notifier.deliver();
      })
      .catch((error) => log.error("the scheduler failed", { error: thrownText(error) }));
  };
  let active = 0;
  const stopListening = runs.onChange(() => {
    const now = runs.active().length;
    // One that waits for the end of another may start, and there may be something to tell.
    if (now < active) tick();
    active = now;
  });
  const timer = setInterval(tick, tickEveryMs).unref();
  tick();
  return async () => {
    hasStopped = true;
    clearInterval(timer);
    stopListening();
    await ticking;
  };
}
