import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const hasRedis = spawnSync("redis-server", ["--version"]).status === 0;

/** A Redis of the test's own, behind a Unix socket. */
export interface RedisServer {
  readonly path: string;
  start(): Promise<void>;
  kill(): Promise<void>;
  dispose(): Promise<void>;
}

export function createRedisServer(): RedisServer {
  const folder = mkdtempSync(join(tmpdir(), "tercel-redis-"));
  const path = join(folder, "socket");
  let child: ChildProcess | undefined;

  async function kill(): Promise<void> {
    if (child === undefined) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
    child = undefined;
  }

  return {
    path,
    kill,
    async start() {
      const args = ["--port", "0", "--unixsocket", path, "--save", "", "--appendonly", "no", "--dir", folder];
      const started = spawn("redis-server", args, { stdio: ["ignore", "pipe", "ignore"] });
      child = started;
      let said = "";
      for await (const chunk of started.stdout) {
        said += String(chunk);
        if (said.includes("Ready to accept connections") || said.includes("ready to accept connections")) return;
      }
      throw new Error(`redis-server ended: ${said}`);
    },
    async dispose() {
      await kill();
      rmSync(folder, { recursive: true });
    },
  };
}
