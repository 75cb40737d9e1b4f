import type { Concern, Provider } from "../../provider.ts";

/** Loads the module of each concern on demand. */
const loaders: Readonly<Record<string, () => Promise<readonly Provider[]>>> = {
  database: async () => (await import("../../database/database-providers.ts")).databaseProviders,
  cache: async () => (await import("../../cache/cache-providers.ts")).cacheProviders,
  events: async () => (await import("../../events/event-providers.ts")).eventProviders,
  discovery: async () => (await import("../../discovery/discovery-providers.ts")).discoveryProviders,
};

/** The concerns with built-in providers. */
export const builtInConcerns: ReadonlySet<Concern> = new Set(Object.keys(loaders));

/** Returns the providers of some concerns; the application's take precedence over built-in ones. */
export async function knownProviders(
  concerns: ReadonlySet<Concern>,
  own: readonly Provider[] = [],
): Promise<readonly Provider[]> {
  const builtIn = await Promise.all([...concerns].map((concern) => loaders[concern]?.() ?? []));
  return [...own, ...builtIn.flat()];
}
