import assert from "node:assert/strict";
import { it } from "node:test";
import { createCacheAside, createMemoryCacheStore } from "../cache/index.ts";
import { countCacheLookups, createRegistry, exposition } from "./index.ts";

it("counts hits, misses and shared loads of caches", async () => {
  const registry = createRegistry();
  const cache = createCacheAside({
    name: "users",
    store: createMemoryCacheStore(),
    observer: countCacheLookups(registry),
  });
  const load = async () => "Ada";
  await Promise.all([cache.getOrLoad("1", load), cache.getOrLoad("1", load), cache.getOrLoad("1", load)]);
  await cache.getOrLoad("1", load);
  await cache.getOrLoad("2", load);
  assert.deepEqual(exposition(registry).split("\n").slice(2, -1).sort(), [
    'cache_lookups_total{cache="users",outcome="hit"} 1',
    'cache_lookups_total{cache="users",outcome="miss"} 2',
    'cache_lookups_total{cache="users",outcome="shared"} 2',
  ]);
});
