export { type CacheAside, type CacheAsideOptions, createCacheAside } from "./cache-aside.ts";
export type { CacheObserver } from "./cache-observer.ts";
export {
  type CacheStore,
  createMemoryCacheStore,
  createRedisCacheStore,
  type MemoryCacheOptions,
  type RedisCacheClient,
  type RedisCacheOptions,
} from "./cache-store.ts";
export { type ClientCache, type ClientCacheOptions, createClientCache } from "./client-cache.ts";
