import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Command of a server, and the output that shows that it is ready. */
export interface ServerCommand {
  readonly program: string;
  readonly args: readonly string[];
  /** Texts that it prints on stdout or stderr when it listens. All are required, in any order. */
  readonly readyTexts: readonly string[];
  /** The user to run as. Default: the user of the test. */
  readonly as?: { readonly uid: number; readonly gid: number } | undefined;
  /** The signal that ends it together with its child processes. Default: SIGKILL. */
  readonly stopSignal?: NodeJS.Signals;
}

/** A third-party server for a test. It can be stopped and started again with its data. */
export interface ServerProcess {
  /** Resolves when it listens. Rejects with its output if it ends before. */
  start(): Promise<void>;
  /** Ends it immediately, without a graceful shutdown. */
  kill(): Promise<void>;
  /** Stops it and removes its folder. */
  dispose(): Promise<void>;
}

/** Characters of the last output to keep: enough to see why a server did not start. */
const keptOutput = 10_000;

/** @param commandIn called once, with a new folder for this server */
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
    // Read until the end, or the server would block when the pipe is full.
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
