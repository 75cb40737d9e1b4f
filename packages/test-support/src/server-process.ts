import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** How a server is started, and how it shows that it is there. */
export interface ServerCommand {
  readonly program: string;
  readonly args: readonly string[];
  /** What it prints, on either of its outputs, when it listens: all of these, in any order. */
  readonly readyTexts: readonly string[];
  /** The user it runs as. Default: that of the test. */
  readonly as?: { readonly uid: number; readonly gid: number } | undefined;
  /** What ends it together with the processes that it started. Default: SIGKILL. */
  readonly stopSignal?: NodeJS.Signals;
}

/** Somebody else's server, for a test: it can be ended and started again with what it has stored. */
export interface ServerProcess {
  /** Resolves when it listens; fails with what it printed when it ends before. */
  start(): Promise<void>;
  /** Without a chance to say good-bye. */
  kill(): Promise<void>;
  /** Ends it and removes its folder. */
  dispose(): Promise<void>;
}

/** The last of what a server printed: enough to see why it did not start. */
const keptOutput = 10_000;

/** @param commandIn called once, with a new folder that is the server's own */
export function createServerProcess(commandIn: (folder: string) => ServerCommand): ServerProcess {
  const folder = mkdtempSync(join(tmpdir(), "tercel-server-"));
  let command: ServerCommand | undefined;
  let child: ChildProcess | undefined;

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (child === undefined) return;
    const ended = child.exitCode === null && child.signalCode === null ? once(child, "exit") : undefined;
    child.kill(signal);
    await ended;
    child = undefined;
  }

  return {
    kill: () => end("SIGKILL"),
    async start() {
      command ??= commandIn(folder);
      const { program, args, readyTexts, as } = command;
      child = spawn(program, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"], ...as });
      await printed(child, program, readyTexts);
    },
    async dispose() {
      await end(command?.stopSignal ?? "SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function printed(child: ChildProcess, program: string, texts: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = "";
    const missing = new Set(texts);
    // Read until it ends, or it would stop as soon as its pipe is full.
    const read = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-keptOutput);
      for (const text of missing) if (output.includes(text)) missing.delete(text);
      if (missing.size === 0) resolve();
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      reject(
        new Error(
          `${program} ended with ${code ?? signal} and never printed ${[...missing].join(" and ")}:\n${output}`,
        ),
      );
    });
  });
}
