import { handleSignals } from "./handle-signals.ts";
import type { Lifecycle, LifecycleOutcome } from "./lifecycle-contract.ts";
import { checkLifecycleOptions, type LifecycleOptions } from "./lifecycle-options.ts";
import { LifecycleRun } from "./lifecycle-run.ts";

/**
 * Runs a program from its start to its end. `setUp` starts the parts in order; a part that fails to start undoes those before
 * it, and the promise rejects with the failure. Otherwise the program runs until a signal or `stop`, and then stops in reverse
 * order: a server says NOT_SERVING, waits for that to be heard, leaves its registry, sends GOAWAY and drains, cancels
 * what is left, and then the resources follow.
 *
 * The promise resolves when all has stopped: `process.exit((await runLifecycle(…)).exitCode)`.
 */
export async function runLifecycle(
  setUp: (life: Lifecycle) => Promise<void>,
  options: LifecycleOptions = {},
): Promise<LifecycleOutcome> {
  checkLifecycleOptions("runLifecycle", options);
  const run = new LifecycleRun(options);
  return handleSignals(
    options,
    () => run.clock.nowMs(),
    run,
    () => run.run(setUp),
  );
}
