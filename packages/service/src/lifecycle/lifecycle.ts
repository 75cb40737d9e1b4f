import { handleSignals } from "./handle-signals.ts";
import type { Lifecycle, LifecycleOutcome } from "./lifecycle-contract.ts";
import { checkLifecycleOptions, type LifecycleOptions } from "./lifecycle-options.ts";
import { LifecycleRun } from "./lifecycle-run.ts";

/**
 * Runs a program from start to end. `setUp` starts the parts in order; if a part fails to start, the previous ones are stopped and the promise rejects
 * with the failure. Otherwise the program runs until a signal or `stop`, and then stops in reverse order: a server reports NOT_SERVING, waits
 * `propagationMs`, deregisters, sends GOAWAY and drains, and cancels the remaining calls; then the other parts stop.
 *
 * The promise resolves when everything has stopped: `process.exit((await runLifecycle(…)).exitCode)`.
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
