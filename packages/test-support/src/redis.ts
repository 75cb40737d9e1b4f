import { findProgram } from "./find-program.ts";
import { freePorts } from "./free-ports.ts";
import { createServerProcess, type ServerProcess } from "./server-process.ts";

const program = findProgram("redis-server");

/** The reason to skip tests that need Redis; false if it is installed. */
export const withoutRedis: string | false = program === undefined && "Redis is not installed; .ci/run installs it";

/** A Redis server for one test, without persistence. */
export interface RedisServer extends ServerProcess {
  /** Port on 127.0.0.1. */
  readonly port: number;
}

export async function createRedisServer(): Promise<RedisServer> {
  const [port = 0] = await freePorts(1);
  const server = createServerProcess((folder) => ({
    program: program ?? "redis-server",
    args: ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "no"],
    readyTexts: ["Ready to accept connections"],
  }));
  return { ...server, port };
}
