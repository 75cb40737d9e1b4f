import { clockOption, type OptionsOf, readOptions, text, wholeNumber } from "../call/options.ts";
import { redisClientOption, redisCommands } from "../call/redis-client.ts";
import { Lru } from "./lru.ts";

/** Where a cache-aside keeps its values, as text. */
export interface CacheStore {
  get(key: string): Promise<string | undefined>;
  set(key: string, text: string, ttlMs: number): Promise<void>;
  delete(key: string): Promise<void>;
  deletePrefix(prefix: string): Promise<void>;
}

export const memoryCacheOptions = {
  /** Values that are kept; beyond, what was unused for longest is dropped. Default 10,000. */
  maxEntries: wholeNumber(1).or(10_000),
  /** Bytes that are kept, two for each character. Default 67,108,864 (64 MiB). */
  maxBytes: wholeNumber(1).or(64 * 1024 * 1024),
  /** For tests. */
  clock: clockOption(),
};

export type MemoryCacheOptions = OptionsOf<typeof memoryCacheOptions>;

/** @throws TypeError or RangeError for options that are unknown or out of bounds */
export function createMemoryCacheStore(options: MemoryCacheOptions = {}): CacheStore {
  const { maxEntries, maxBytes, clock } = readOptions("createMemoryCacheStore", memoryCacheOptions, options);
  const lru = new Lru<string>({ maxEntries, maxBytes }, clock);
  return {
    get: async (key) => lru.get(key),
    set: async (key, text, ttlMs) => lru.set(key, text, text.length * 2, ttlMs),
    delete: async (key) => lru.delete(key),
    deletePrefix: async (prefix) => lru.deletePrefix(prefix),
  };
}

export const redisCacheOptions = {
  /** The application's client, of `ioredis` or of `redis`; the store never closes it. Required. */
  client: redisClientOption(),
  /** What keys begin with. Default `cache:`. */
  prefix: text().or("cache:"),
};

export type RedisCacheOptions = OptionsOf<typeof redisCacheOptions>;

/** How many keys Redis looks at in one step, during which it does nothing else. */
const scanCount = "500";

/**
 * Keeps values in Redis, shared by all instances.
 *
 * @throws TypeError for unknown options, and for another kind of client
 */
export function createRedisCacheStore(options: RedisCacheOptions): CacheStore {
  const { client, prefix: before } = readOptions("createRedisCacheStore", redisCacheOptions, options);
  const redis = redisCommands(client);
  return {
    get: async (key) => ((await redis.send(["GET", before + key])) as string | null) ?? undefined,
    async set(key, text, ttlMs) {
      await redis.send(["SET", before + key, text, "PX", String(ttlMs)]);
    },
    async delete(key) {
      await redis.send(["UNLINK", before + key]);
    },
    async deletePrefix(prefix) {
      const pattern = `${(before + prefix).replace(/[\\*?[\]^-]/g, "\\$&")}*`;
      let cursor = "0";
      do {
        const reply = await redis.send(["SCAN", cursor, "MATCH", pattern, "COUNT", scanCount]);
        const [next, keys] = reply as [string, string[]];
        if (keys.length > 0) await redis.send(["UNLINK", ...keys]);
        cursor = String(next);
      } while (cursor !== "0");
    },
  };
}
