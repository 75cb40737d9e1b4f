import type { Registry } from "./registry.ts";

/** Counts lookups, as the `observer` of `createClientCache` and `createCacheAside`. */
export interface CacheCounts {
  onHit(name: string): void;
  onMiss(name: string): void;
  onShared(name: string): void;
}

/** Counts cache lookups as `cache_lookups_total{cache="…",outcome="hit|miss|shared"}`. Pass the result as the `observer` of caches. */
export function countCacheLookups(registry: Registry): CacheCounts {
  const lookups = registry.counter("cache_lookups_total", {
    help: "Cache lookups: hits, misses, and misses that share a running load.",
    labels: ["cache", "outcome"],
  });
  return {
    onHit: (name) => lookups.with(name, "hit").add(),
    onMiss: (name) => lookups.with(name, "miss").add(),
    onShared: (name) => lookups.with(name, "shared").add(),
  };
}
