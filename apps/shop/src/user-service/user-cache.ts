import { type CacheStore, createCacheAside } from "@tercel/interceptors/cache";
import type { Registry } from "@tercel/interceptors/metrics";
import { toFrameworkLog } from "../log/framework-log.ts";
import type { Log } from "../log/json-log.ts";
import type { StoredUser } from "./user-row.ts";

/** Users by their ids, out of a cache where there is one. */
export interface UserCache {
  get(id: string): Promise<StoredUser | undefined>;
  /** To be called when the user has changed: whoever asks from now on gets what is stored. */
  forget(id: string): void;
}

/** How long a user may be out of date where another instance could not tell the cache of a change. */
const ttlMs = 300_000;

/** Creates the cache next to `getUser`. Without a store it is no cache at all. */
export function createUserCache(
  store: CacheStore | undefined,
  getUser: (id: string) => StoredUser | undefined,
  registry: Registry,
  log: Log,
): UserCache {
  if (store === undefined) return { get: async (id) => getUser(id), forget() {} };
  const lookups = registry.counter("user_cache_lookups_total", { help: "Users looked up.", labels: ["outcome"] });
  const cache = createCacheAside<StoredUser>({
    store,
    ttlMs,
    name: "users",
    observer: {
      onHit: () => lookups.with("hit").add(),
      onMiss: () => lookups.with("miss").add(),
      onShared: () => lookups.with("shared").add(),
    },
    log: toFrameworkLog(log, "cache"),
  });
  return {
    get: (id) => cache.getOrLoad(id, async () => getUser(id)),
    // Not awaited: commands of one connection are answered in their order, so a read that follows comes behind it.
    // Where it fails, which is logged, the user is out of date for five minutes at most, should the cache come back with it.
    forget: (id) => void cache.invalidate(id),
  };
}
