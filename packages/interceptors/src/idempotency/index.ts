export type { ByMethod, MethodSelector } from "../call/method-selector.ts";
export type { IoredisClient, NodeRedisClient, RedisClient } from "../call/redis-client.ts";
export { createIdempotencyKeys, type IdempotencyKeysOptions } from "./client-keys.ts";
export { createIdempotency, type IdempotencyOptions } from "./idempotency.ts";
export type { IdempotencyRule } from "./key-rules.ts";
export { createMemoryIdempotencyStore, type MemoryIdempotencyOptions } from "./memory-store.ts";
export {
  createPostgresIdempotencyStore,
  type PostgresIdempotencyOptions,
  type PostgresQueries,
  postgresIdempotencySchema,
} from "./postgres-store.ts";
export { createRedisIdempotencyStore, type RedisIdempotencyOptions } from "./redis-store.ts";
export {
  createSqliteIdempotencyStore,
  type SqliteIdempotencyOptions,
  type SqliteIdempotencyStore,
} from "./sqlite-store.ts";
export type { BeginResult, IdempotencyStore } from "./store.ts";
