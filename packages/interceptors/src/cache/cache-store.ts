import { type Clock, systemClock } from "@tercel/grpc";
import { checkWholeNumber, refuseUnknownOptions } from "@tercel/grpc/internal";
import { Lru } from "./lru.ts";

/** Where a cache-aside keeps its values, as text. */
export interface CacheStore {
  get(key: string): Promise<string | undefined>;
  set(key: string, text: string, ttlMs: number): Promise<void>;
  delete(key: string): Promise<void>;
  deletePrefix(prefix: string): Promise<void>;
}

export interface MemoryCacheOptions {
  /** Values kept; what was unused for longest goes first. Default 10,000. */
  maxEntries?: number;
  /** Bytes kept, two for each character. Default 64 MiB. */
  maxBytes?: number;
  clock?: Clock;
}

/** @throws TypeError or RangeError for options that are unknown or out of bounds */
export function createMemoryCacheStore(options: MemoryCacheOptions = {}): CacheStore {
  const where = "createMemoryCacheStore";
  refuseUnknownOptions(where, options, ["maxEntries", "maxBytes", "clock"]);
  checkWholeNumber(where, "maxEntries", options.maxEntries, 1, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "maxBytes", options.maxBytes, 1, Number.MAX_SAFE_INTEGER);
  const { maxEntries = 10_000, maxBytes = 64 * 1024 * 1024, clock = systemClock } = options;
  const lru = new Lru<string>({ maxEntries, maxBytes }, clock);
  return {
    get: async (key) => lru.get(key),
    set: async (key, text, ttlMs) => lru.set(key, text, text.length * 2, ttlMs),
    delete: async (key) => lru.delete(key),
    deletePrefix: async (prefix) => lru.deletePrefix(prefix),
  };
}

/** What is needed of a client of the package `redis`. With `ioredis`: `{ sendCommand: ([name, ...rest]) => client.call(name, ...rest) }`. */
export interface RedisCacheClient {
  sendCommand(command: string[]): Promise<unknown>;
}

export interface RedisCacheOptions {
  /** The application's client; the store never closes it. */
  client: RedisCacheClient;
  /** Put before every key. Default `cache:`. */
  prefix?: string;
}

/** How many keys Redis looks at in one step, during which it does nothing else. */
const scanCount = "500";

/**
 * Keeps values in Redis, shared by all instances.
 *
 * @throws TypeError for unknown options
 */
export function createRedisCacheStore(options: RedisCacheOptions): CacheStore {
  refuseUnknownOptions("createRedisCacheStore", options, ["client", "prefix"]);
  const { client, prefix: before = "cache:" } = options;
  return {
    get: async (key) => ((await client.sendCommand(["GET", before + key])) as string | null) ?? undefined,
    async set(key, text, ttlMs) {
      await client.sendCommand(["SET", before + key, text, "PX", String(ttlMs)]);
    },
    async delete(key) {
      await client.sendCommand(["UNLINK", before + key]);
    },
    async deletePrefix(prefix) {
      const pattern = `${(before + prefix).replace(/[\\*?[\]^-]/g, "\\$&")}*`;
      let cursor = "0";
      do {
        const scan = ["SCAN", cursor, "MATCH", pattern, "COUNT", scanCount];
        const [next, keys] = (await client.sendCommand(scan)) as [string, string[]];
        if (keys.length > 0) await client.sendCommand(["UNLINK", ...keys]);
        cursor = String(next);
      } while (cursor !== "0");
    },
  };
}
