import { Redis } from "ioredis";
import { describeError, type Log } from "../log/json-log.ts";

/** What instances of a service share next to their database, and can do without. */
export interface SharedRedis {
  readonly client: Redis;
  close(): void;
}

/** Longer is no help: whoever waits would be quicker without it. */
const commandTimeoutMs = 250;
const connectTimeoutMs = 2_000;

/** Opens Redis at a URL; undefined for none. While it cannot be reached commands fail at once, and it is tried again. */
export function openSharedRedis(url: string, log: Log): SharedRedis | undefined {
  if (url === "") return undefined;
  const client = new Redis(url, {
    commandTimeout: commandTimeoutMs,
    connectTimeout: connectTimeoutMs,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
  });
  let isTold = false;
  client.on("ready", () => {
    isTold = false;
    log.info("redis_there");
  });
  // Each attempt fails again; what matters is that it began to.
  client.on("error", (error) => {
    if (!isTold) log.warn("redis_missing", { error: describeError(error) });
    isTold = true;
  });
  return { client, close: () => client.disconnect() };
}
