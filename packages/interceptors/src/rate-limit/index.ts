export type { ByMethod, MethodSelector } from "../call/method-selector.ts";
export type { IoredisClient, NodeRedisClient, RedisClient } from "../call/redis-client.ts";
export { addressKey, clientKey } from "./client-key.ts";
export type { Limit, RateLimitStore, Verdict } from "./limit.ts";
export { createMemoryStore, type MemoryStore, type MemoryStoreOptions } from "./memory-store.ts";
export { createRateLimit, type RateLimitOptions, type RateLimitRule } from "./rate-limit.ts";
export { createRedisStore, type RedisStoreOptions } from "./redis-store.ts";
