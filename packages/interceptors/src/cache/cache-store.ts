import { clockOption, type OptionsOf, readOptions, text, wholeNumber } from "../call/options.ts";
import { redisClientOption, redisCommands } from "../call/redis-client.ts";
import { Lru } from "./lru.ts";

/** The store of a cache-aside. Values are strings. */
export interface CacheStore {
  get(key: string): Promise<string | undefined>;
  set(key: string, text: string, ttlMs: number): Promise<void>;
  delete(key: string): Promise<void>;
  deletePrefix(prefix: string): Promise<void>;
}

export const memoryCacheOptions = {
  /** The maximum number of values. The least recently used one is dropped. Default 10,000. */
  maxEntries: wholeNumber(1).or(10_000),
  /** The maximum total size: 2 bytes for each character of a value, 1 for each character of a key, and 200 for each entry. Default 67,108,864 (64 MiB). */
  maxBytes: wholeNumber(1).or(64 * 1024 * 1024),
  /** For tests. */
  clock: clockOption(),
};

export type MemoryCacheOptions = OptionsOf<typeof memoryCacheOptions>;

/**
 * Creates a store in the memory of this process.
 *
 * @throws TypeError or RangeError for options that are unknown or out of range
 */
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
  /** The application's client of `ioredis` or `redis`. The store never closes it. Required. */
  client: redisClientOption(),
  /** The prefix of all keys. Default `cache:`. */
  prefix: text().or("cache:"),
};

export type RedisCacheOptions = OptionsOf<typeof redisCacheOptions>;

/** The number of keys that Redis scans in one step, which blocks other commands. */
const scanCount = "500";

/**
 * Creates a store in Redis, which all instances of a service share.
 *
 * @throws TypeError for unknown options, and for an unsupported client
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
