import type { CacheStore, IoredisClient, NodeRedisClient } from "@tercel/interceptors/cache";

/** What a provider of caches offers. */
export interface CachePort {
  readonly store: CacheStore;
  /** Of a provider that is a Redis: its connection, for what else instances share, such as rate limits and idempotency keys. */
  readonly redis?: SharedRedis;
}

/** No type of ioredis, which is there only where it is used. */
export interface SharedRedis extends NodeRedisClient {
  /** The client of ioredis, for `createRedisStore` of `@tercel/interceptors/rate-limit`. */
  readonly client: IoredisClient;
}
