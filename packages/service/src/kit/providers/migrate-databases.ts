import type { Definition, Needs } from "../definition/definition.ts";
import { createSharedFamilies } from "../observation/shared-families.ts";
import type { Surroundings } from "../run/surroundings.ts";
import type { RunConfig } from "../run-config/run-config.ts";
import { knownProviders } from "./built-in-providers.ts";
import { migrateDatabase } from "./open-provider.ts";
import { planNeeds } from "./plan-needs.ts";

/** Migrates every database that the service needs and opens nothing else. Resolves to the number of databases. */
export async function migrateDatabases<N extends Needs, Settings>(
  { needs = {} as N, providers = [] }: Definition<N, Settings>,
  config: RunConfig,
  { log, clock, metrics }: Surroundings,
  signal: AbortSignal,
): Promise<number> {
  const withMigrations = Object.fromEntries(
    Object.entries(needs).filter(([, { migrations }]) => migrations !== undefined),
  );
  const concerns = new Set(Object.values(withMigrations).map(({ concern }) => concern));
  const plan = planNeeds(withMigrations, config.providers, await knownProviders(concerns, providers));
  const applying = { ...config, start: { ...config.start, migrations: "apply" as const } };
  const context = { config: applying, log, clock, metrics: createSharedFamilies(metrics) };
  for (const planned of plan) await migrateDatabase(planned, context, signal);
  return plan.length;
}
