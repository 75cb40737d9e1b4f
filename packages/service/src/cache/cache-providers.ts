import { type InferOutput, optional, pipe, strictObject, transform } from "valibot";
import { text, url, wholeNumber } from "../config/values/basic-values.ts";
import { byteSize } from "../config/values/byte-size.ts";
import { duration } from "../config/values/duration.ts";
import type { Provider } from "../provider.ts";
import type { CachePort } from "./cache-port.ts";

const concern = "cache";

/** `cache.providers.memory` */
const memoryConfig = pipe(
  strictObject({
    max_entries: optional(
      wholeNumber(1, 100_000_000, {
        description: "Maximum number of values; the least recently used is dropped first.",
      }),
      10_000,
    ),
    max_bytes: optional(byteSize({ min: 1, description: "Maximum total size." }), "64MiB"),
  }),
  transform(({ max_entries: maxEntries, max_bytes: maxBytes }) => ({ maxEntries, maxBytes })),
);

/** `cache.providers.redis` */
const redisConfig = pipe(
  strictObject({
    url: optional(
      url(["redis", "rediss"], { description: "`redis://user:password@host:6379/0`; `rediss` for TLS." }),
      "redis://127.0.0.1:6379",
    ),
    key_prefix: optional(text({ maxLength: 256, description: "Prefix of every key." }), "cache:"),
    connect_timeout: optional(duration({ minMs: 1, description: "Timeout of a connection attempt." }), "5s"),
    command_timeout: optional(duration({ minMs: 1, description: "Timeout of a command." }), "1s"),
  }),
  transform((written) => ({
    url: written.url,
    keyPrefix: written.key_prefix,
    connectTimeoutMs: written.connect_timeout,
    commandTimeoutMs: written.command_timeout,
  })),
);

type MemoryConfig = InferOutput<typeof memoryConfig>;
type RedisConfig = InferOutput<typeof redisConfig>;

const memory: Provider<MemoryConfig, CachePort> = {
  concern,
  type: "memory",
  config: memoryConfig as Provider<MemoryConfig>["config"],
  async open(config, { clock }) {
    const { createMemoryCacheStore } = await import("@tercel/interceptors/cache");
    const store = createMemoryCacheStore({ ...config, clock });
    return { port: { store }, describe: "cache in memory", async check() {}, async close() {} };
  },
};

const redis: Provider<RedisConfig, CachePort> = {
  concern,
  type: "redis",
  config: redisConfig as Provider<RedisConfig>["config"],
  peer: { name: "ioredis", range: ">=5" },
  async open(config, host) {
    const { openRedis } = await import("./open-redis.ts");
    const opened = await openRedis(config, host);
    return {
      port: opened,
      describe: opened.description,
      check: () => opened.check(),
      close: () => opened.close(),
    };
  },
};

/** The built-in cache providers. */
export const cacheProviders: readonly Provider[] = [memory, redis];
