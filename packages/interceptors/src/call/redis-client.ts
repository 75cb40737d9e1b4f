import { type Option, own } from "./options.ts";

/**
 * A Redis client of the application: from `ioredis`, single or cluster, or from node-redis (the package `redis`), single or pool.
 * The application connects and closes it.
 */
export type RedisClient = IoredisClient | NodeRedisClient;

/** The members of an `ioredis` client that are used. */
export interface IoredisClient {
  call(command: string, ...args: string[]): Promise<unknown>;
  /** "ready" while the client is connected. */
  readonly status?: string;
}

/** The members of a `redis` client that are used. */
export interface NodeRedisClient {
  sendCommand(command: string[]): Promise<unknown>;
  /** Whether the client is connected. */
  readonly isReady?: boolean;
}

/** The common interface of both clients. */
export interface RedisCommands {
  send(command: readonly [name: string, ...args: string[]]): Promise<unknown>;
  /** False while the client is known to be disconnected; commands would then wait in its queue. */
  isReady(): boolean;
}

/** The option for the client. */
export function redisClientOption(): Option<RedisClient, "required"> {
  const expected = 'a client of ioredis or of redis, for example new Redis("redis://127.0.0.1:6379")';
  const accepts = (value: unknown): boolean => hasMethod(value, "call") || hasMethod(value, "sendCommand");
  return own<RedisClient>(expected, accepts).required();
}

export function redisCommands(client: RedisClient): RedisCommands {
  // ioredis also has a sendCommand, but it takes a command object.
  if (hasMethod(client, "call")) {
    const ioredis = client as IoredisClient;
    return {
      send: ([name, ...args]) => ioredis.call(name, ...args),
      isReady: () => ioredis.status === undefined || ioredis.status === "ready",
    };
  }
  const nodeRedis = client as NodeRedisClient;
  return { send: (command) => nodeRedis.sendCommand([...command]), isReady: () => nodeRedis.isReady !== false };
}

function hasMethod(value: unknown, name: string): boolean {
  return typeof (value as Readonly<Record<string, unknown>> | null | undefined)?.[name] === "function";
}
