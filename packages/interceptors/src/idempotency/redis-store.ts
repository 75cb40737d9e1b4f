import { type OptionsOf, readOptions, text } from "../call/options.ts";
import { redisClientOption, redisCommands } from "../call/redis-client.ts";
import type { BeginResult, IdempotencyStore } from "./store.ts";

export const redisIdempotencyOptions = {
  /** The application's client of `ioredis` or `redis`. The store never closes it. Required. */
  client: redisClientOption(),
  /** The prefix of all keys. Default `idempotency:`. */
  prefix: text().or("idempotency:"),
};

export type RedisIdempotencyOptions = OptionsOf<typeof redisIdempotencyOptions>;

// A key is a hash with the fields f (fingerprint), o (owner) and a (response, as base64, because clients read replies as text). Keys of
// running calls have o, those of completed calls a. Redis removes expired keys.

const beginScript = `
local found = redis.call('HMGET', KEYS[1], 'f', 'a')
if found[1] then return {found[1], found[2] or ''} end
redis.call('HSET', KEYS[1], 'f', ARGV[1], 'o', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {}`;

const renewScript = `
if redis.call('HGET', KEYS[1], 'o') ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`;

const completeScript = `
if redis.call('HGET', KEYS[1], 'o') ~= ARGV[1] then return 0 end
redis.call('HDEL', KEYS[1], 'o')
redis.call('HSET', KEYS[1], 'a', ARGV[2])
return redis.call('PEXPIRE', KEYS[1], ARGV[3])`;

const releaseScript = `
if redis.call('HGET', KEYS[1], 'o') ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`;

/**
 * Creates a store in Redis, for services with several instances. If Redis loses a key, by eviction or in a crash before it is written to disk,
 * a retry runs a second time. If that must not happen, use PostgreSQL.
 *
 * @throws TypeError for unknown options, and for an unsupported client
 */
export function createRedisIdempotencyStore(options: RedisIdempotencyOptions): IdempotencyStore {
  const { client, prefix } = readOptions("createRedisIdempotencyStore", redisIdempotencyOptions, options);
  const redis = redisCommands(client);
  const run = (script: string, key: string, ...args: (string | number)[]): Promise<unknown> =>
    redis.send(["EVAL", script, "1", prefix + key, ...args.map(String)]);
  return {
    async begin(key, fingerprint, owner, leaseMs): Promise<BeginResult> {
      const [stored, response] = (await run(beginScript, key, fingerprint, owner, leaseMs)) as string[];
      if (stored === undefined) return { state: "begun" };
      if (response === undefined || response === "") return { state: "running", fingerprint: stored };
      return { state: "done", fingerprint: stored, response: Buffer.from(response, "base64") };
    },
    renew: async (key, owner, leaseMs) => (await run(renewScript, key, owner, leaseMs)) === 1,
    complete: async (key, owner, response, ttlMs) =>
      (await run(completeScript, key, owner, Buffer.from(response).toString("base64"), ttlMs)) === 1,
    async release(key, owner) {
      await run(releaseScript, key, owner);
    },
  };
}
