import { findProgram } from "./find-program.ts";
import { freePorts } from "./free-ports.ts";
import { createServerProcess, type ServerProcess } from "./server-process.ts";

const program = findProgram("redis-server");

/** Why tests that need Redis are skipped here, or false where they are not. */
export const withoutRedis: string | false = program === undefined && "Redis is not installed; .ci/run installs it";

/** A Redis of the test's own that stores nothing. */
export interface RedisServer extends ServerProcess {
  /** On 127.0.0.1. */
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
