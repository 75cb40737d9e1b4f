import type { ListenAddress } from "@tercel/grpc";
import { checkWholeNumber, type Shared } from "@tercel/grpc/internal";
import { checkLifecycleOptions, type LifecycleOptions, lifecycleOptionNames } from "../lifecycle/lifecycle-options.ts";

export interface WorkersOptions extends LifecycleOptions {
  /** Number of worker processes. Default: the available parallelism. 1 runs the setup in this process. */
  readonly workers?: number;
  /**
   * State of which each worker has a part and can read the merged whole, such as metrics: `shareMetrics(registry)` of
   * `@tercel/interceptors/metrics`. Default: none.
   */
  // biome-ignore lint/suspicious/noExplicitAny: each has its own type of parts
  readonly shared?: readonly Shared<any>[];
  /**
   * Signals at which the workers are replaced one by one, each by a ready one before it drains. Default SIGHUP, unless the program has a terminal: then
   * SIGHUP means that the terminal was closed, and stops the program.
   */
  readonly restartSignals?: readonly NodeJS.Signals[];
  /** Number of workers that may exit in a row before one is ready, while none serves; then the start fails. Default 5. */
  readonly maxFailedStarts?: number;
  /**
   * Time for a worker to stop before it is killed. Default: `propagationMs` plus `drainMs` plus twice `stopTimeoutMs`, which a worker observes itself
   * unless it hangs.
   */
  readonly killAfterMs?: number;
  /** Called once in the parent when every worker is ready, with their addresses. */
  readonly onReady?: (addresses: readonly ListenAddress[]) => void;
}

const optionNames: readonly (keyof WorkersOptions)[] = [
  ...lifecycleOptionNames,
  "workers",
  "shared",
  "restartSignals",
  "maxFailedStarts",
  "killAfterMs",
  "onReady",
];

/** Limit on workers; more is probably a mistake, such as a port. */
const maxWorkers = 1024;

/** Validates the options. @throws TypeError or RangeError that names the option */
export function checkWorkersOptions(options: WorkersOptions): void {
  const where = "runWorkers";
  checkLifecycleOptions(where, options, optionNames);
  checkWholeNumber(where, "workers", options.workers, 1, maxWorkers);
  checkWholeNumber(where, "maxFailedStarts", options.maxFailedStarts, 1, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "killAfterMs", options.killAfterMs, 0, Number.MAX_SAFE_INTEGER);
  const names = new Set<string>();
  for (const { name } of options.shared ?? []) {
    if (names.has(name)) throw new TypeError(`${where}: duplicate name "${name}" in shared`);
    names.add(name);
  }
}

/** Returns the options of one process's lifecycle. */
export function lifecycleOptionsOf(options: WorkersOptions): LifecycleOptions {
  return Object.fromEntries(
    Object.entries(options).filter(([name]) => (lifecycleOptionNames as readonly string[]).includes(name)),
  );
}
