import cluster from "node:cluster";
import { availableParallelism } from "node:os";
import { type ListenAddress, systemClock } from "@tercel/grpc";
import { safeLog } from "@tercel/grpc/internal";
import { handleSignals } from "../lifecycle/handle-signals.ts";
import type { Lifecycle, LifecycleOutcome } from "../lifecycle/lifecycle-contract.ts";
import { defaultDrainMs, defaultStopTimeoutMs, LifecycleRun } from "../lifecycle/lifecycle-run.ts";
import { defaultStopSignals } from "../lifecycle/stop-signals.ts";
import { allWorkersService, isWorkerProcess, runWorker } from "./run-worker.ts";
import { checkWorkersOptions, lifecycleOptionsOf, type WorkersOptions } from "./worker-options.ts";
import { WorkerPool } from "./worker-pool.ts";

/**
 * Runs `runLifecycle` on several cores: runs the setup in `workers` processes that listen on the same ports. This process, the parent, starts the
 * program's file again for each, with the same arguments and Node flags; there, `runWorkers` runs the setup and exits the process. So what every worker
 * needs belongs in `setUp`, and code after `runWorkers` runs only in the parent.
 *
 * A worker that exits is restarted: at once, then with backoff. The first signal drains all workers, a second one stops them at once, and a hanging
 * worker is killed. Workers whose parent exits drain and exit.
 *
 * With `workers: 1`, and inside a worker of other code, it is the same as `runLifecycle` in this process.
 *
 * The promise rejects when the setup fails at the first start, or when `maxFailedStarts` workers in a row exit before one is ready.
 *
 * @throws TypeError or RangeError for an unknown or out-of-range option
 */
export async function runWorkers(
  setUp: (life: Lifecycle) => Promise<void>,
  options: WorkersOptions = {},
): Promise<LifecycleOutcome> {
  checkWorkersOptions(options);
  if (isWorkerProcess()) return runWorker(setUp, options);
  const workers = options.workers ?? availableParallelism();
  if (workers === 1 || !cluster.isPrimary) return runAlone(setUp, options);
  return runParent(workers, options);
}

async function runParent(workers: number, options: WorkersOptions): Promise<LifecycleOutcome> {
  // Structured clones: parts may contain maps, bytes and numbers that JSON cannot represent.
  cluster.setupPrimary({ serialization: "advanced" });
  const { drainMs = defaultDrainMs, stopTimeoutMs = defaultStopTimeoutMs, propagationMs = 0 } = options;
  const clock = options.clock ?? systemClock;
  const pool = new WorkerPool(
    {
      workers,
      clock,
      log: safeLog(options.log),
      killAfterMs: options.killAfterMs ?? propagationMs + drainMs + 2 * stopTimeoutMs,
    },
    options,
  );
  const restartSignals = options.restartSignals ?? (hasTerminal() ? [] : ["SIGHUP"]);
  const onRestart = (name: NodeJS.Signals): void => void pool.replaceAll(name);
  for (const name of restartSignals) process.on(name, onRestart);
  const signals = (options.signals ?? defaultStopSignals).filter((name) => !restartSignals.includes(name));
  try {
    return await handleSignals(
      { signals, ...(options.signal !== undefined && { signal: options.signal }) },
      () => clock.nowMs(),
      pool,
      () => pool.run(),
    );
  } finally {
    for (const name of restartSignals) process.off(name, onRestart);
  }
}

/** Runs without worker processes. */
async function runAlone(setUp: (life: Lifecycle) => Promise<void>, options: WorkersOptions): Promise<LifecycleOutcome> {
  const addresses: ListenAddress[] = [];
  const run = new LifecycleRun(lifecycleOptionsOf(options), {
    onServing(address, health) {
      addresses.push(address);
      health?.follow("", (status) => {
        health.setStatus(allWorkersService, status === "SERVING" ? "SERVING" : "NOT_SERVING");
      });
    },
  });
  return handleSignals(
    options,
    () => run.clock.nowMs(),
    run,
    () => run.run(setUp, () => options.onReady?.(addresses)),
  );
}

/** Whether the process has a terminal: then SIGHUP means that it was closed (POSIX, "General Terminal Interface"), not a changed configuration. */
function hasTerminal(): boolean {
  return [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY);
}
