import { refuseUnknownOptions } from "@tercel/grpc/internal";
import { RateLimiterRedis, RateLimiterRes } from "rate-limiter-flexible";
import { type Limit, type RateLimitStore, type Verdict, windowSeconds } from "./limit.ts";

export interface RedisStoreOptions {
  /** A client of ioredis 5 or later, single or cluster. Whoever made it closes it. */
  client: object;
  /** Keys begin with it. Default "tercel:rate-limit". */
  keyPrefix?: string;
}

/**
 * Counts in Redis, so that a limit holds for all instances of a service together. A client that is not connected fails at once
 * and does not queue.
 *
 * @throws TypeError for an unknown option, and for another kind of client
 */
export function createRedisStore(options: RedisStoreOptions): RateLimitStore {
  const where = "createRedisStore";
  refuseUnknownOptions(where, options, ["client", "keyPrefix"]);
  const { client, keyPrefix = "tercel:rate-limit" } = options;
  if (typeof (client as { defineCommand?: unknown } | undefined)?.defineCommand !== "function") {
    throw new TypeError(`${where}: client has to be one of ioredis, for example new Redis("redis://127.0.0.1:6379")`);
  }
  /** Few: one for each limit that somebody wrote down. */
  const limiters = new Map<string, RateLimiterRedis>();

  function limiterOf({ requests, per }: Limit): RateLimiterRedis {
    const name = `${requests}/${per}`;
    let limiter = limiters.get(name);
    if (limiter === undefined) {
      limiter = new RateLimiterRedis({
        storeClient: client,
        keyPrefix,
        points: requests,
        duration: windowSeconds[per],
        rejectIfRedisNotReady: true,
      });
      limiters.set(name, limiter);
    }
    return limiter;
  }

  return {
    async take(key, limit): Promise<Verdict> {
      try {
        const { msBeforeNext } = await limiterOf(limit).consume(key);
        return { isAllowed: true, retryAfterMs: msBeforeNext };
      } catch (reason) {
        // The library throws its result where a limit is reached, and Errors for everything else.
        if (reason instanceof RateLimiterRes) return { isAllowed: false, retryAfterMs: reason.msBeforeNext };
        throw reason;
      }
    },
  };
}
