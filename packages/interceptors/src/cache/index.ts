export type { ByMethod, MethodSelector } from "../call/method-selector.ts";
export type { IoredisClient, NodeRedisClient, RedisClient } from "../call/redis-client.ts";
export { type CacheAside, type CacheAsideOptions, createCacheAside } from "./cache-aside.ts";
export type { CacheObserver } from "./cache-observer.ts";
export {
  type CacheStore,
  createMemoryCacheStore,
  createRedisCacheStore,
  type MemoryCacheOptions,
  type RedisCacheOptions,
} from "./cache-store.ts";
export { type CacheRule, type ClientCache, type ClientCacheOptions, createClientCache } from "./client-cache.ts";
