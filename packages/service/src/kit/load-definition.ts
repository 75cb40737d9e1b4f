import { type ConfigSources, type LoadedConfig, loadServiceConfig, type ServiceConfig } from "../config/index.ts";
import { builtInConcerns, knownProviders } from "./built-in-providers.ts";
import type { Definition, Needs } from "./definition.ts";
import type { RunConfig } from "./run-config.ts";
import { runConfigOf } from "./run-config-of.ts";

/** A definition and the configuration that it runs on. */
export interface LoadedDefinition<N extends Needs, Settings> {
  readonly definition: Definition<N, Settings>;
  readonly loaded: LoadedConfig<ServiceConfig<Settings>>;
  readonly config: RunConfig;
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
  const loaded = await loadServiceConfig<Settings>({
    ...sources,
    providers: known,
    ...(settings !== undefined && { settings }),
  });
  return { definition, loaded, config: runConfigOf(loaded, process.stdout.isTTY === true) };
}
