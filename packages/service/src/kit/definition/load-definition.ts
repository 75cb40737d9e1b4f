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

/** A definition and the configuration that it runs on. */
export interface LoadedDefinition<N extends Needs, Settings> {
  readonly definition: Definition<N, Settings>;
  readonly loaded: LoadedConfig<ServiceConfig<Settings>>;
  readonly config: RunConfig;
  /** Follows the files that the configuration came from. */
  readonly follow: (options: WatchConfigOptions) => ConfigWatch<ServiceConfig<Settings>>;
}

/**
 * Loads the configuration of a service: its own providers and settings are checked with the rest.
 *
 * Rejects with a ConfigError that has every problem and its place.
 */
export async function loadDefinition<N extends Needs, Settings>(
  definition: Definition<N, Settings>,
  sources: ConfigSources,
): Promise<LoadedDefinition<N, Settings>> {
  const { providers, settings } = definition;
  // All of them, because a configuration may have entries that the code does not need.
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

/** Whether people read the log as it comes. */
export function hasTerminal(): boolean {
  return process.stdout.isTTY === true;
}
