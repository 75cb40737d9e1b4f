import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

const root = join(import.meta.dirname, "../../../..");

/** The path of an installed program, or of one that was built into .cache/bin; undefined if there is none. */
export function findProgram(name: string): string | undefined {
  const folders = [join(root, ".cache/bin"), ...(process.env.PATH ?? "").split(delimiter)];
  return folders
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** Ports that were free a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
}

/** A server under test: it can be ended and started again with what it has stored. */
export interface ServerProcess {
  start(): Promise<void>;
  /** Without a chance to say good-bye. */
  kill(): Promise<void>;
  /** Ends it and removes its folder. */
  dispose(): Promise<void>;
}

/** @param isReady asked every 50 ms until it is true, as these servers tell in different words that they listen */
export function createServerProcess(
  program: string,
  args: (folder: string) => readonly string[],
  isReady: () => Promise<boolean>,
): ServerProcess {
  const folder = mkdtempSync(join(tmpdir(), "tercel-discovery-"));
  let child: ChildProcess | undefined;
  let output = "";

  async function kill(): Promise<void> {
    if (child === undefined) return;
    const ended = child.exitCode === null && child.signalCode === null ? once(child, "exit") : undefined;
    child.kill("SIGKILL");
    await ended;
    child = undefined;
  }

  return {
    kill,
    async start() {
      const started = spawn(program, args(folder), { stdio: ["ignore", "pipe", "pipe"] });
      child = started;
      for (const stream of [started.stdout, started.stderr]) {
        stream?.on("data", (chunk: Buffer) => {
          output = (output + chunk.toString()).slice(-10_000);
        });
      }
      while (!(await isReady().catch(() => false))) {
        if (started.exitCode !== null)
          throw new Error(`${program} ended with exit code ${started.exitCode}:\n${output}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    async dispose() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
