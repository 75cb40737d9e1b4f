import { type Clock, type Log, systemClock } from "@tercel/grpc";
import { checkWholeNumber, followFiles, refuseUnknownOptions, safeLog, thrownMessage } from "@tercel/grpc/internal";
import { type ConfigChange, findChanges } from "./document/config-changes.ts";
import {
  type ConfigKind,
  type ConfigSources,
  kindOfSchema,
  type LoadedConfig,
  type LoadResult,
  loadKind,
} from "./load-config.ts";
import { type ServiceConfigOptions, serviceKind } from "./load-service-config.ts";
import type { StandardSchemaV1 } from "./schema/standard-schema.ts";
import type { ServiceConfig } from "./service-schema/service-config.ts";

export interface WatchConfigOptions {
  /** From the first sign of a change to the reload. Default 500 ms: several files are often written one after the other. */
  readonly settleMs?: number;
  /**
   * The files are read this often even without a sign of a change, which network file systems do not always give. Default 60,000 ms; 0 means
   * never.
   */
  readonly pollMs?: number;
  /** Where it is reported what was taken and what was refused. Default: warnings and errors as JSON lines on standard error. */
  readonly log?: Log;
  /** For tests. */
  readonly clock?: Clock;
  /** For tests: reports changes in a folder until the returned function is called. */
  readonly watchFolder?: (folder: string, onChange: () => void) => () => void;
}

export interface ConfigUpdate<Value> {
  readonly config: LoadedConfig<Value>;
  /** Apply those that are live; the others hold after a restart, which the log says. */
  readonly changes: readonly ConfigChange[];
}

/** A configuration that follows its files. */
export interface ConfigWatch<Value> {
  /** The newest that was valid. */
  readonly current: LoadedConfig<Value>;
  /** Reloads that changed something, and those that were refused, for a counter. */
  readonly counts: { readonly taken: number; readonly refused: number };
  /** Calls the listener with each change. The returned function ends that. */
  onChange(listener: (update: ConfigUpdate<Value>) => void | Promise<void>): () => void;
  /** Reads the files now. Resolves to false when they were refused, which the log says. */
  reload(): Promise<boolean>;
  /** Ends the watching. `current` stays. */
  close(): void;
}

/**
 * Loads a configuration by a schema of the caller's own and follows its files. A changed state is taken whole or not at all: while it is not valid
 * the old one stays in force.
 *
 * @throws ConfigError when it is not valid at the start; TypeError or RangeError for wrong options
 */
export function watchConfig<Value>(
  schema: StandardSchemaV1<unknown, Value>,
  sources: ConfigSources = {},
  options: WatchConfigOptions = {},
): Promise<ConfigWatch<Value>> {
  return watchKind(kindOfSchema(schema), sources, options);
}

/**
 * Loads the configuration of a service and follows its files.
 *
 * @throws ConfigError when it is not valid at the start; TypeError or RangeError for wrong options
 */
export function watchServiceConfig<App = undefined>(
  config: ServiceConfigOptions<App> = {},
  options: WatchConfigOptions = {},
): Promise<ConfigWatch<ServiceConfig<App>>> {
  return watchKind(serviceKind(config), config, options);
}

async function watchKind<Value>(
  kind: ConfigKind<Value>,
  sources: ConfigSources,
  options: WatchConfigOptions,
): Promise<ConfigWatch<Value>> {
  checkOptions(options);
  return followKind(kind, sources, await loadKind(kind, sources), options);
}

/** Follows the files of a configuration that was loaded from these sources. */
export function followKind<Value>(
  kind: ConfigKind<Value>,
  sources: ConfigSources,
  started: LoadResult<Value>,
  options: WatchConfigOptions,
): ConfigWatch<Value> {
  const { settleMs = 500, pollMs = 60_000, clock = systemClock, watchFolder } = options;
  const log = safeLog(options.log);
  const listeners = new Set<(update: ConfigUpdate<Value>) => unknown>();
  const counts = { taken: 0, refused: 0 };
  let isClosed = false;
  /** The last one that was reported, so that a lasting fault is reported once. */
  let reportedProblem: string | undefined;
  let reportedRestart = "";
  let queue: Promise<unknown> = Promise.resolve();

  let current = started;

  async function load(): Promise<boolean> {
    try {
      const loaded = await loadKind(kind, sources);
      reportedProblem = undefined;
      if (!isClosed) take(loaded);
      return true;
    } catch (error) {
      const problem = thrownMessage(error);
      if (problem !== reportedProblem) {
        counts.refused++;
        log.error("the changed configuration is refused; the old one stays in force", { problem });
      }
      reportedProblem = problem;
      return false;
    }
  }

  function take(loaded: typeof started): void {
    const changes = findChanges(current.listValues(), loaded.listValues());
    current = loaded;
    followed.refresh();
    // Against what the service was started with: what was changed back needs no restart any more.
    const restart = findChanges(started.listValues(), loaded.listValues()).filter(({ isLive }) => !isLive);
    const keys = restart.map(({ path }) => path).join(", ");
    if (keys !== reportedRestart && keys !== "") log.warn(`changed keys need a restart: ${keys}`);
    reportedRestart = keys;
    if (changes.length === 0) return;
    counts.taken++;
    log.info("the configuration was reloaded", { changed: changes.map(({ path }) => path) });
    for (const listener of [...listeners]) void notify(listener, { config: loaded.config, changes });
  }

  /** Neither a listener that throws nor one that rejects keeps the others from hearing of the change, or ends the process. */
  async function notify(
    listener: (update: ConfigUpdate<Value>) => unknown,
    update: ConfigUpdate<Value>,
  ): Promise<void> {
    try {
      await listener(update);
    } catch (error) {
      log.error("a listener of the configuration failed", { error });
    }
  }

  /** One at a time: the file that was read last wins. */
  function reload(): Promise<boolean> {
    const next = queue.then(load);
    queue = next;
    return next;
  }

  const followed = followFiles({
    files: () => current.config.files,
    onLook: () => void reload(),
    settleMs,
    pollMs,
    noun: "configuration files",
    log,
    clock,
    ...(watchFolder !== undefined && { watchFolder }),
  });

  return {
    get current() {
      return current.config;
    },
    counts,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    reload,
    close() {
      isClosed = true;
      followed.close();
      listeners.clear();
    },
  };
}

function checkOptions(options: WatchConfigOptions): void {
  const where = "watchConfig";
  refuseUnknownOptions(where, options, ["settleMs", "pollMs", "log", "clock", "watchFolder"]);
  checkWholeNumber(where, "settleMs", options.settleMs, 0, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "pollMs", options.pollMs, 0, Number.MAX_SAFE_INTEGER);
}
