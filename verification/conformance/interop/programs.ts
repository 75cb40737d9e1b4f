import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "./peer.ts";

export interface RunningServer {
  readonly port: number;
  stop(): Promise<void>;
}

/** The time limit for a server to listen. */
const startTimeoutMs = 120_000;
/** The amount of output in the error of a failed program. */
const keptOutputChars = 2000;

/**
 * Starts a server on a free port. The peers' programs do not report when they listen, so this connects repeatedly until the port accepts.
 */
export async function startServer(command: Command, options: readonly string[]): Promise<RunningServer> {
  const port = await freePort();
  const child = spawn(command.file, [...command.args, `--port=${port}`, ...options], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = lastOutput(child);
  const exited = once(child, "exit").catch((error: Error) => [error.message]);
  const giveUpAtMs = performance.now() + startTimeoutMs;
  while (!(await answers(port))) {
    if (child.exitCode !== null || child.pid === undefined || performance.now() > giveUpAtMs) {
      child.kill("SIGKILL");
      throw new Error(`the server does not listen: ${output()}`);
    }
    await sleep(50);
  }
  return {
    port,
    async stop() {
      // Some do not end at SIGTERM while they have connections.
      child.kill("SIGKILL");
      await exited;
    },
  };
}

/** Runs a program. Returns why it failed, or undefined. A hanging program fails too. */
export async function runClient(
  command: Command,
  options: readonly string[],
  timeoutMs: number,
): Promise<string | undefined> {
  const child = spawn(command.file, [...command.args, ...options], { stdio: ["ignore", "pipe", "pipe"] });
  const output = lastOutput(child);
  // A process may only have waited for a core, so the error shows the load of the machine.
  const standstill = monitorEventLoopDelay();
  standstill.enable();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill("SIGKILL");
  }, timeoutMs);
  try {
    const [code] = (await once(child, "close")) as [number | null];
    if (code === 0) return undefined;
    const machine = `(the runner itself stood still for up to ${Math.round(standstill.max / 1e6)} ms)`;
    return `${isLate ? `still running after ${timeoutMs / 1000} s; ` : ""}${output()} ${machine}`;
  } catch (error) {
    return String(error);
  } finally {
    clearTimeout(timer);
    standstill.disable();
  }
}

function lastOutput(child: ChildProcess): () => string {
  let kept = "";
  const keep = (chunk: Buffer): void => {
    kept = (kept + chunk.toString()).slice(-keptOutputChars);
  };
  child.stdout?.on("data", keep);
  child.stderr?.on("data", keep);
  return () => kept.trim();
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("the port of a TCP server is missing");
  return address.port;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
