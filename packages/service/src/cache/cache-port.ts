import type { CacheStore, IoredisClient, NodeRedisClient } from "@tercel/interceptors/cache";

/** The port of a cache provider. */
export interface CachePort {
  readonly store: CacheStore;
  /** The connection of a Redis provider, also used for other shared state, such as rate limits and idempotency keys. */
  readonly redis?: SharedRedis;
}

/** A Redis connection, declared without types of ioredis, which is an optional package. */
export interface SharedRedis extends NodeRedisClient {
  /** The client of ioredis, for `createRedisStore` of `@tercel/interceptors/rate-limit`. */
  readonly client: IoredisClient;
}
