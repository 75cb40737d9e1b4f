import type { ListenAddress } from "@tercel/grpc";
import { checkWholeNumber, type Shared } from "@tercel/grpc/internal";
import { checkLifecycleOptions, type LifecycleOptions, lifecycleOptionNames } from "../lifecycle/lifecycle-options.ts";

export interface WorkersOptions extends LifecycleOptions {
  /** Processes that serve. Default: as many as this machine lets the program use. 1 runs the setup in this process. */
  readonly workers?: number;
  /**
   * What all workers have a part of and any of them can read as one, such as the metrics:
   * `shareMetrics(registry)` of `@tercel/interceptors/metrics`. Default: nothing.
   */
  // biome-ignore lint/suspicious/noExplicitAny: each has parts of a type of its own, which only it looks into
  readonly shared?: readonly Shared<any>[];
  /**
   * Signals at which the workers are replaced one after the other, each by one that is ready before it drains. Default
   * SIGHUP, unless the program has a terminal: there it says that the terminal was closed, and stops the program.
   */
  readonly restartSignals?: readonly NodeJS.Signals[];
  /** Workers that may end in a row before one is ready, while none serves; then the start has failed. Default 5. */
  readonly maxFailedStarts?: number;
  /**
   * How long a worker may take to stop before it is killed. Default: `propagationMs` and `drainMs` and twice
   * `stopTimeoutMs`, because it keeps to those itself unless it hangs.
   */
  readonly killAfterMs?: number;
  /** Called in the parent, once, when every worker is ready: with where they listen. */
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

/** More than any machine has cores: a slip, such as a port. */
const maxWorkers = 1024;

/** @throws TypeError or RangeError that names the option */
export function checkWorkersOptions(options: WorkersOptions): void {
  const where = "runWorkers";
  checkLifecycleOptions(where, options, optionNames);
  checkWholeNumber(where, "workers", options.workers, 1, maxWorkers);
  checkWholeNumber(where, "maxFailedStarts", options.maxFailedStarts, 1, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "killAfterMs", options.killAfterMs, 0, Number.MAX_SAFE_INTEGER);
  const names = new Set<string>();
  for (const { name } of options.shared ?? []) {
    if (names.has(name)) throw new TypeError(`${where}: shared holds two of the name "${name}"`);
    names.add(name);
  }
}

/** What of the options concerns one process's life. */
export function lifecycleOptionsOf(options: WorkersOptions): LifecycleOptions {
  return Object.fromEntries(
    Object.entries(options).filter(([name]) => (lifecycleOptionNames as readonly string[]).includes(name)),
  );
}
