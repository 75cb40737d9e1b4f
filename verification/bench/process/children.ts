import { type ChildProcess, spawn } from "node:child_process";
import { lastWords } from "./command.ts";

const running = new Set<ChildProcess>();

/** A program that runs next to this one until it is stopped or this process ends. */
export interface Child {
  pid: number;
  /** Each whole line of its stdout. */
  onLine(listener: (line: string) => void): void;
  /** Settles when the program has ended; never rejects. */
  ended: Promise<void>;
  /** How it ended and its last words, for the report of a failure. */
  epitaph(): string;
  kill(signal: NodeJS.Signals): void;
}

/** Of a program that talks without end on stderr, this much is kept. */
const STDERR_KEPT_CHARS = 4096;

/** Starts a program. One that cannot be started has ended at once, with the reason as its epitaph. */
export function startChild([program, ...words]: readonly [string, ...string[]]): Child {
  const process_ = spawn(program, words, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NODE_ENV: "production" },
  });
  let stderr = "";
  let pending = "";
  let ending = "is running";
  const listeners: ((line: string) => void)[] = [];
  running.add(process_);
  process_.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-STDERR_KEPT_CHARS);
  });
  process_.stdout.setEncoding("utf8").on("data", (text: string) => {
    const lines = (pending + text).split("\n");
    pending = lines.pop() ?? "";
    for (const line of lines) for (const listener of listeners) listener(line);
  });
  const ended = new Promise<void>((resolve) => {
    process_.on("error", (error: NodeJS.ErrnoException) => {
      ending =
        error.code === "ENOENT" ? `did not start: ${program} is not installed` : `did not start: ${error.message}`;
      running.delete(process_);
      resolve();
    });
    process_.on("close", (code, signal) => {
      ending = `ended with ${signal ?? `exit code ${code}`}`;
      running.delete(process_);
      resolve();
    });
  });
  return {
    pid: process_.pid ?? 0,
    onLine: (listener) => listeners.push(listener),
    ended,
    epitaph: () => (stderr.trim() === "" ? ending : `${ending}: ${lastWords(stderr)}`),
    kill: (signal) => process_.kill(signal),
  };
}

/** Ends every program still running, so that an interrupted run leaves no server. */
export function killChildren(): void {
  for (const child of running) child.kill("SIGKILL");
}
