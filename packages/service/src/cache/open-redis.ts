import type { Log } from "@tercel/grpc";
import { withNamedExports } from "@tercel/grpc/internal";
import { createRedisCacheStore } from "@tercel/interceptors/cache";
import { importPeer } from "../import-peer.ts";
import { PermanentError } from "../permanent-error.ts";
import type { CachePort, SharedRedis } from "./cache-port.ts";

export interface RedisOptions {
  /** `redis://user:password@host:6379/0`, or `rediss:` for TLS. */
  readonly url: string;
  /** Prefix of every key. Default `cache:`. */
  readonly keyPrefix?: string;
  /** Timeout of a connection attempt. Default 5000. */
  readonly connectTimeoutMs?: number;
  /** Timeout of a command. Default 1000: a longer wait would cost more than loading the value. */
  readonly commandTimeoutMs?: number;
}

export interface RedisHost {
  readonly name: string;
  /** The connection's name, shown by `CLIENT LIST`. */
  readonly service: string;
  readonly log: Log;
}

export interface OpenRedis extends CachePort {
  readonly redis: SharedRedis;
  /** `redis at host:6379/0`. */
  readonly description: string;
  /** Rejects when Redis does not respond. */
  check(): Promise<void>;
  close(): Promise<void>;
}

export const ioredisPeer = { name: "ioredis", range: ">=5" } as const;
const maxRetryDelayMs = 2000;
const disconnectTimeoutMs = 500;

/**
 * Connects to Redis, and reconnects when the connection is lost. Until then commands fail at once instead of queuing.
 *
 * @throws PermanentError for a missing package or a refused password; Error when Redis cannot be reached
 */
export async function openRedis(options: RedisOptions, host: RedisHost): Promise<OpenRedis> {
  const { Redis } = await importPeer("cache redis", ioredisPeer, () => import("ioredis").then(withNamedExports));
  const { url, keyPrefix, connectTimeoutMs = 5000, commandTimeoutMs = 1000 } = options;
  const redis = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    connectTimeout: connectTimeoutMs,
    commandTimeout: commandTimeoutMs,
    // ioredis keeps a reconnect timer even if no connection was ever made, which would keep a failed process alive.
    disconnectTimeout: disconnectTimeoutMs,
    connectionName: host.service.replaceAll(/\s/g, "-"),
    retryStrategy: (attempt) => Math.min(attempt * 100, maxRetryDelayMs),
  });
  const { host: address, port, db = 0 } = redis.options;
  const description = `redis at ${address}:${port}/${db}`;
  let lastError: Error | undefined;
  let isDown = false;
  // Without a listener the event would end the process. Logs each lost connection once.
  redis.on("error", (error: Error) => {
    lastError = error;
    if (isDown) return;
    isDown = true;
    host.log.warn("connection to Redis lost", { cache: host.name, error: error.message });
  });
  redis.on("ready", () => {
    isDown = false;
  });
  try {
    await redis.connect();
    await redis.ping();
  } catch (error) {
    redis.disconnect();
    throw toOpenError(description, lastError ?? error);
  }
  const shared: SharedRedis = {
    client: redis,
    sendCommand: ([name = "", ...rest]) => redis.call(name, ...rest),
  };
  return {
    store: createRedisCacheStore({
      client: shared,
      ...(keyPrefix !== undefined && { prefix: keyPrefix }),
    }),
    redis: shared,
    description,
    async check() {
      await redis.ping();
    },
    async close() {
      // Sends QUIT if connected.
      await redis.quit().catch(() => {});
      redis.disconnect();
    },
  };
}

function toOpenError(description: string, error: unknown): Error {
  const { message } = error as Error;
  const text = `${description}: ${message}`;
  if (!/WRONGPASS|NOAUTH|NOPERM|invalid password/i.test(message)) return new Error(text, { cause: error });
  return new PermanentError(`${text}; check the user and password in url`, { cause: error });
}
