import type { ListenAddress } from "@tercel/grpc";
import type { Health } from "@tercel/grpc/services";
import type { ConfigSources } from "../../config/index.ts";
import type { LifecycleOutcome } from "../../lifecycle/lifecycle-contract.ts";
import type { LifecycleOptions } from "../../lifecycle/lifecycle-options.ts";
import { LifecycleRun } from "../../lifecycle/lifecycle-run.ts";
import type { Definition, Needs } from "../definition/definition.ts";
import { type LoadedDefinition, loadDefinition } from "../definition/load-definition.ts";
import { normalizeDefinition, type Routes } from "../definition/normalize-definition.ts";
import type { RunConfig } from "../run-config/run-config.ts";
import { assembleService, type ReadyService } from "./assemble-service.ts";
import { realSurroundings } from "./real-surroundings.ts";
import type { Surroundings } from "./surroundings.ts";

/** A service that runs. */
export interface RunningService {
  /** Where it listens; the port is the real one when 0 was configured. */
  readonly address: ListenAddress;
  /** Where REST, Connect and gRPC-Web are served; undefined where they are not. */
  readonly httpAddress?: ListenAddress;
  readonly health: Health;
  /**
   * Stops it: NOT_SERVING, deregistered, drained, closed. Resolves when everything is closed, with what failed on the way. Further calls wait for the
   * same stop.
   */
  stop(): Promise<LifecycleOutcome>;
}

/** Where the configuration of a service comes from. */
export interface StartOptions extends Omit<ConfigSources, "values"> {
  /** Keys of the configuration, as they are in `config.yaml`: above files and variables. Default: none. */
  readonly config?: object;
}

/**
 * Starts a service in this process, without signals and exit codes: for programs that do more than serve, and for tests with real sockets.
 *
 * Rejects with a ConfigError that has every problem of the configuration, or with what failed to start, when everything that was opened before is
 * closed again.
 */
export async function startService<N extends Needs = Record<never, never>, Settings = unknown>(
  given: Definition<N, Settings> | Routes,
  { config, ...sources }: StartOptions = {},
): Promise<RunningService> {
  const loaded = await loadDefinition(normalizeDefinition(given), { ...sources, ...(config && { values: config }) });
  return startLoaded(loaded, await realSurroundings(loaded.config));
}

/** How long the steps of a stop may take. */
export function lifecycleOptionsOf({ stop }: RunConfig, { log, clock }: Surroundings): LifecycleOptions {
  const { propagationMs, drainMs, partMs } = stop;
  return { propagationMs, drainMs, stopTimeoutMs: partMs, log, clock };
}

/** Starts a service without the process's signals. Rejects with what failed, when everything that was opened before is closed again. */
export async function startLoaded<N extends Needs, Settings>(
  loaded: LoadedDefinition<N, Settings>,
  surroundings: Surroundings,
): Promise<RunningService> {
  const run = new LifecycleRun(lifecycleOptionsOf(loaded.config, surroundings));
  const started = Promise.withResolvers<ReadyService>();
  const ended = run.run(async (life) => {
    started.resolve(await assembleService(life, loaded, surroundings));
  });
  // A start that failed has ended without being ready.
  ended.catch(started.reject);
  const ready = await started.promise;
  return {
    ...ready,
    stop() {
      run.stop("stop() was called");
      return ended;
    },
  };
}
