import type { Concern, Provider } from "../../provider.ts";

/** Each concern's own module, so that what no one needs is not loaded. */
const loaders: Readonly<Record<string, () => Promise<readonly Provider[]>>> = {
  database: async () => (await import("../../database/database-providers.ts")).databaseProviders,
  cache: async () => (await import("../../cache/cache-providers.ts")).cacheProviders,
  events: async () => (await import("../../events/event-providers.ts")).eventProviders,
  discovery: async () => (await import("../../discovery/discovery-providers.ts")).discoveryProviders,
};

/** The concerns whose providers come with the kit. */
export const builtInConcerns: ReadonlySet<Concern> = new Set(Object.keys(loaders));

/** The providers of some concerns, those of the application before those that come with the kit. */
export async function knownProviders(
  concerns: ReadonlySet<Concern>,
  own: readonly Provider[] = [],
): Promise<readonly Provider[]> {
  const builtIn = await Promise.all([...concerns].map((concern) => loaders[concern]?.() ?? []));
  return [...own, ...builtIn.flat()];
}
