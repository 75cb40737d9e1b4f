import type { CacheStore } from "@tercel/interceptors/cache";
import type { Redis } from "ioredis";

/** What a provider of caches offers. */
export interface CachePort {
  readonly store: CacheStore;
  /** The connection of a Redis, for what else is shared between instances: rate limits, idempotency keys. */
  readonly redis?: Redis;
}
