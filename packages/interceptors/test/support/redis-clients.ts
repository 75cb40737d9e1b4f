import { Redis } from "ioredis";
import { createClient } from "redis";
import { type RedisClient, redisCommands } from "../../src/call/redis-client.ts";

/** A connected client, and what tests see of its connection. */
export interface ConnectedRedis {
  readonly client: RedisClient;
  /** Resolves when the connection is lost the next time. */
  lost(): Promise<void>;
  /** Resolves when there is a connection again. */
  ready(): Promise<void>;
  close(): Promise<void>;
}

/** Unlike `once` of node:events it does not mind errors before. */
function event(client: { once(name: string, listener: () => void): unknown }, name: string): Promise<void> {
  return new Promise((resolve) => client.once(name, () => resolve()));
}

async function connectIoredis(port: number): Promise<ConnectedRedis> {
  const client = new Redis(port, { retryStrategy: () => 10 });
  // A lost connection is an error that belongs to no call.
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

/** The packages whose clients the stores take, and how to connect to a server of this machine with each. */
export const redisPackages = [
  { name: "ioredis", connect: connectIoredis },
  { name: "redis", connect: connectNodeRedis },
] as const;

/** The milliseconds until each key is removed, by its name; -1 for one that stays. */
export async function lifetimesMs(client: RedisClient): Promise<ReadonlyMap<string, number>> {
  const { send } = redisCommands(client);
  const keys = (await send(["KEYS", "*"])) as string[];
  const entries = keys.map(async (key) => [key, Number(await send(["PTTL", key]))] as const);
  return new Map(await Promise.all(entries));
}
