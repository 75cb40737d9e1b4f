import { type OptionsOf, readOptions, text } from "../call/options.ts";
import { redisClientOption, redisCommands } from "../call/redis-client.ts";
import { type RateLimitStore, type Verdict, windowSeconds } from "./limit.ts";

export const redisStoreOptions = {
  /** The application's client of `ioredis` or `redis`. The store never closes it. Required. */
  client: redisClientOption(),
  /** The prefix of all keys. Default "tercel:rate-limit". */
  keyPrefix: text().or("tercel:rate-limit"),
};

export type RedisStoreOptions = OptionsOf<typeof redisStoreOptions>;

/**
 * Counts a call, and returns the number of calls in the window and its remaining milliseconds. A key without an expiry, which only another
 * program can create, gets one.
 */
const countScript = `
local count = redis.call('INCR', KEYS[1])
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  left = tonumber(ARGV[1])
end
return {count, left}`;

/**
 * Creates a store in Redis, so that a limit applies to all instances of a service together. While the client is not connected, the store fails at
 * once instead of waiting in the client's queue.
 *
 * @throws TypeError for an unknown option, and for an unsupported client
 */
export function createRedisStore(options: RedisStoreOptions): RateLimitStore {
  const { client, keyPrefix } = readOptions("createRedisStore", redisStoreOptions, options);
  const redis = redisCommands(client);
  return {
    async take(key, { requests, per }): Promise<Verdict> {
      if (!redis.isReady()) throw new Error("the Redis client is not connected");
      const windowMs = windowSeconds[per] * 1000;
      const reply = await redis.send(["EVAL", countScript, "1", `${keyPrefix}:${key}`, String(windowMs)]);
      const [count, retryAfterMs] = reply as [number, number];
      return { isAllowed: count <= requests, retryAfterMs };
    },
  };
}
