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
  /** Delay from the first change notification to the reload. Default 500 ms: several files are often written in a row. */
  readonly settleMs?: number;
  /**
   * Interval at which the files are read without a change notification, which network file systems may not send. Default 60,000 ms; 0 means never.
   */
  readonly pollMs?: number;
  /** Log of accepted and rejected changes. Default: warnings and errors as JSON lines on standard error. */
  readonly log?: Log;
  /** For tests. */
  readonly clock?: Clock;
  /** For tests: reports changes in a folder until the returned function is called. */
  readonly watchFolder?: (folder: string, onChange: () => void) => () => void;
}

export interface ConfigUpdate<Value> {
  readonly config: LoadedConfig<Value>;
  /** Changed values. Apply those with `isLive`; the others need a restart, which is logged. */
  readonly changes: readonly ConfigChange[];
}

/** A configuration that is reloaded when its files change. */
export interface ConfigWatch<Value> {
  /** The latest valid configuration. */
  readonly current: LoadedConfig<Value>;
  /** Number of accepted and rejected reloads, for metrics. */
  readonly counts: { readonly taken: number; readonly refused: number };
  /** Calls the listener with each change. Returns a function that unsubscribes it. */
  onChange(listener: (update: ConfigUpdate<Value>) => void | Promise<void>): () => void;
  /** Reads the files now. Resolves to false when they are invalid, which is logged. */
  reload(): Promise<boolean>;
  /** Stops watching. `current` stays. */
  close(): void;
}

/**
 * Loads a configuration with the caller's own schema and reloads it when its files change. A changed configuration is applied as a whole, and only if it
 * is valid; otherwise the old one stays in effect.
 *
 * @throws ConfigError when it is invalid at the start; TypeError or RangeError for invalid options
 */
export function watchConfig<Value>(
  schema: StandardSchemaV1<unknown, Value>,
  sources: ConfigSources = {},
  options: WatchConfigOptions = {},
): Promise<ConfigWatch<Value>> {
  return watchKind(kindOfSchema(schema), sources, options);
}

/**
 * Loads the configuration of a service and reloads it when its files change.
 *
 * @throws ConfigError when it is invalid at the start; TypeError or RangeError for invalid options
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

/** Watches the files of a configuration that was loaded from these sources. */
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
  /** The last reported problem, so that a persistent one is logged once. */
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
        log.error("invalid configuration after a change; the previous one stays in effect", { problem });
      }
      reportedProblem = problem;
      return false;
    }
  }

  function take(loaded: typeof started): void {
    const changes = findChanges(current.listValues(), loaded.listValues());
    current = loaded;
    followed.refresh();
    // Compared with the configuration at the start: a change that was reverted needs no restart.
    const restart = findChanges(started.listValues(), loaded.listValues()).filter(({ isLive }) => !isLive);
    const keys = restart.map(({ path }) => path).join(", ");
    if (keys !== reportedRestart && keys !== "") log.warn(`changed keys need a restart: ${keys}`);
    reportedRestart = keys;
    if (changes.length === 0) return;
    counts.taken++;
    log.info("configuration reloaded", { changed: changes.map(({ path }) => path) });
    for (const listener of [...listeners]) void notify(listener, { config: loaded.config, changes });
  }

  /** Calls a listener. If it throws or rejects, the error is logged and other listeners are still called. */
  async function notify(
    listener: (update: ConfigUpdate<Value>) => unknown,
    update: ConfigUpdate<Value>,
  ): Promise<void> {
    try {
      await listener(update);
    } catch (error) {
      log.error("configuration listener failed", { error });
    }
  }

  /** Reloads, one at a time, so that the last read takes precedence. */
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
