import { Redis } from "ioredis";
import { createClient } from "redis";
import { type RedisClient, redisCommands } from "../../src/call/redis-client.ts";

/** A connected client, and the events of its connection. */
export interface ConnectedRedis {
  readonly client: RedisClient;
  /** Resolves when the connection is lost next. */
  lost(): Promise<void>;
  /** Resolves when the client is connected again. */
  ready(): Promise<void>;
  close(): Promise<void>;
}

/** Unlike `once` of node:events, it does not reject on an earlier error event. */
function event(client: { once(name: string, listener: () => void): unknown }, name: string): Promise<void> {
  return new Promise((resolve) => client.once(name, () => resolve()));
}

async function connectIoredis(port: number): Promise<ConnectedRedis> {
  const client = new Redis(port, { retryStrategy: () => 10 });
  // A lost connection emits an error that does not belong to a call.
  client.on("error", () => {});
  await event(client, "ready");
  return {
    client,
    lost: () => event(client, "close"),
    ready: () => event(client, "ready"),
    async close() {
      const ended = event(client, "end");
      client.disconnect();
      await ended;
    },
  };
}

async function connectNodeRedis(port: number): Promise<ConnectedRedis> {
  const client = createClient({ socket: { port, reconnectStrategy: () => 10 } });
  client.on("error", () => {});
  await client.connect();
  return {
    client,
    lost: () => event(client, "reconnecting"),
    ready: () => event(client, "ready"),
    close: async () => client.destroy(),
  };
}

/** The supported packages, and how to connect to a local server with each. */
export const redisPackages = [
  { name: "ioredis", connect: connectIoredis },
  { name: "redis", connect: connectNodeRedis },
] as const;

/** Returns the milliseconds until each key expires, by name; -1 for a key without an expiry. */
export async function lifetimesMs(client: RedisClient): Promise<ReadonlyMap<string, number>> {
  const { send } = redisCommands(client);
  const keys = (await send(["KEYS", "*"])) as string[];
  const entries = keys.map(async (key) => [key, Number(await send(["PTTL", key]))] as const);
  return new Map(await Promise.all(entries));
}
