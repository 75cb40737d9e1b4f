import type { LifecycleOptions } from "../../lifecycle/lifecycle-options.ts";
import { LifecycleRun } from "../../lifecycle/lifecycle-run.ts";
import type { Definition, Needs } from "../definition/definition.ts";
import { type LoadedDefinition, loadDefinition } from "../definition/load-definition.ts";
import { normalizeDefinition, type Routes } from "../definition/normalize-definition.ts";
import type { RunConfig } from "../run-config/run-config.ts";
import { assembleService, type ReadyService } from "./assemble-service.ts";
import { realSurroundings } from "./real-surroundings.ts";
import type { RunningService, StartOptions } from "./running-service.ts";
import type { Surroundings } from "./surroundings.ts";

/** Returns the time limits of a stop. */
export function lifecycleOptionsOf({ stop }: RunConfig, { log, clock }: Surroundings): LifecycleOptions {
  const { propagationMs, drainMs, partMs } = stop;
  return { propagationMs, drainMs, stopTimeoutMs: partMs, log, clock };
}

/** Loads the configuration and starts the service, as `startService` does. */
export async function startDefinition<N extends Needs, Settings>(
  given: Definition<N, Settings> | Routes,
  { config, ...sources }: StartOptions,
): Promise<RunningService> {
  const loaded = await loadDefinition(normalizeDefinition(given), { ...sources, ...(config && { values: config }) });
  return startLoaded(loaded, await realSurroundings(loaded.config));
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
