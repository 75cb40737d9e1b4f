import type { Registry } from "./registry.ts";

/** What caches report of each look-up, to the `observer` of `createClientCache` and `createCacheAside`. */
export interface CacheCounts {
  onHit(name: string): void;
  onMiss(name: string): void;
  onShared(name: string): void;
}

/** Counts look-ups as `cache_lookups_total{cache="…",outcome="hit|miss|shared"}`: pass it as the `observer` of caches. */
export function countCacheLookups(registry: Registry): CacheCounts {
  const lookups = registry.counter("cache_lookups_total", {
    help: "Look-ups in caches: found, not found, or being fetched already.",
    labels: ["cache", "outcome"],
  });
  return {
    onHit: (name) => lookups.with(name, "hit").add(),
    onMiss: (name) => lookups.with(name, "miss").add(),
    onShared: (name) => lookups.with(name, "shared").add(),
  };
}
