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

/** A running service. */
export interface RunningService {
  /** Address it listens on; with port 0, the actual port. */
  readonly address: ListenAddress;
  /** Address of REST, Connect and gRPC-Web; undefined if they are not served. */
  readonly httpAddress?: ListenAddress;
  readonly health: Health;
  /**
   * Stops the service: NOT_SERVING, deregister, drain, close. Resolves when everything is closed, with the problems that occurred. Further calls wait for
   * the same stop.
   */
  stop(): Promise<LifecycleOutcome>;
}

/** The source of a service's configuration. */
export interface StartOptions extends Omit<ConfigSources, "values"> {
  /** Configuration keys, as in `config.yaml`; they override files and variables. Default: none. */
  readonly config?: object;
}

/**
 * Starts a service in this process without handling signals and exit codes, for programs that do more than serve, and for tests with real sockets.
 *
 * Rejects with a ConfigError that lists every problem of the configuration, or with the failure of the start, after everything is closed again.
 */
export async function startService<N extends Needs = Record<never, never>, Settings = unknown>(
  given: Definition<N, Settings> | Routes,
  { config, ...sources }: StartOptions = {},
): Promise<RunningService> {
  const loaded = await loadDefinition(normalizeDefinition(given), { ...sources, ...(config && { values: config }) });
  return startLoaded(loaded, await realSurroundings(loaded.config));
}

/** Returns the time limits of a stop. */
export function lifecycleOptionsOf({ stop }: RunConfig, { log, clock }: Surroundings): LifecycleOptions {
  const { propagationMs, drainMs, partMs } = stop;
  return { propagationMs, drainMs, stopTimeoutMs: partMs, log, clock };
}

/** Starts a service without handling signals. Rejects with the failure, after everything is closed again. */
export async function startLoaded<N extends Needs, Settings>(
  loaded: LoadedDefinition<N, Settings>,
  surroundings: Surroundings,
): Promise<RunningService> {
  const run = new LifecycleRun(lifecycleOptionsOf(loaded.config, surroundings));
  const started = Promise.withResolvers<ReadyService>();
  const ended = run.run(async (life) => {
    started.resolve(await assembleService(life, loaded, surroundings));
  });
  // A failed start ends without being ready.
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
