import { type Option, own } from "./options.ts";

/**
 * A client of Redis as applications have one: of `ioredis`, single or cluster, or of node-redis (the package `redis`), single or pool.
 * Whoever creates it connects it and closes it.
 */
export type RedisClient = IoredisClient | NodeRedisClient;

/** What is used of a client of `ioredis`. */
export interface IoredisClient {
  call(command: string, ...args: string[]): Promise<unknown>;
  /** "ready" while it is connected. */
  readonly status?: string;
}

/** What is used of a client of `redis`. */
export interface NodeRedisClient {
  sendCommand(command: string[]): Promise<unknown>;
  /** Whether it is connected. */
  readonly isReady?: boolean;
}

/** Either client, with one interface. */
export interface RedisCommands {
  send(command: readonly [name: string, ...args: string[]]): Promise<unknown>;
  /** False while the client is known to have no connection; commands would then wait in its queue. */
  isReady(): boolean;
}

/** The option that is a client. */
export function redisClientOption(): Option<RedisClient, "required"> {
  const expected = 'a client of ioredis or of redis, for example new Redis("redis://127.0.0.1:6379")';
  const accepts = (value: unknown): boolean => hasMethod(value, "call") || hasMethod(value, "sendCommand");
  return own<RedisClient>(expected, accepts).required();
}

export function redisCommands(client: RedisClient): RedisCommands {
  // ioredis has a sendCommand as well, which takes a command object of its own.
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
