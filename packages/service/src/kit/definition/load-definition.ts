import type {
  ConfigSources,
  ConfigWatch,
  LoadedConfig,
  ServiceConfig,
  WatchConfigOptions,
} from "../../config/index.ts";
import { loadKind } from "../../config/load-config.ts";
import { serviceKind } from "../../config/load-service-config.ts";
import { followKind } from "../../config/watch-config.ts";
import { builtInConcerns, knownProviders } from "../providers/built-in-providers.ts";
import type { RunConfig } from "../run-config/run-config.ts";
import { runConfigOf } from "../run-config/run-config-of.ts";
import type { Definition, Needs } from "./definition.ts";

/** A definition with its configuration. */
export interface LoadedDefinition<N extends Needs, Settings> {
  readonly definition: Definition<N, Settings>;
  readonly loaded: LoadedConfig<ServiceConfig<Settings>>;
  readonly config: RunConfig;
  /** Watches the files of the configuration. */
  readonly follow: (options: WatchConfigOptions) => ConfigWatch<ServiceConfig<Settings>>;
}

/**
 * Loads the configuration of a service, including its own providers and settings.
 *
 * Rejects with a ConfigError that lists every problem and its location.
 */
export async function loadDefinition<N extends Needs, Settings>(
  definition: Definition<N, Settings>,
  sources: ConfigSources,
): Promise<LoadedDefinition<N, Settings>> {
  const { providers, settings } = definition;
  // All providers, because the configuration may have entries that the code does not need.
  const known = await knownProviders(builtInConcerns, providers);
  const options = { ...sources, providers: known, ...(settings !== undefined && { settings }) };
  const kind = serviceKind<Settings>(options);
  const started = await loadKind(kind, options);
  return {
    definition,
    loaded: started.config,
    config: runConfigOf(started.config, hasTerminal()),
    follow: (watch) => followKind(kind, options, started, watch),
  };
}

/** Whether the log is printed to a terminal. */
export function hasTerminal(): boolean {
  return process.stdout.isTTY === true;
}
