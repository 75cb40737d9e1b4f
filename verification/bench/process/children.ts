import { type ChildProcess, spawn } from "node:child_process";
import { lastWords } from "./command.ts";

const running = new Set<ChildProcess>();

/** A child process that runs until it is stopped or this process ends. */
export interface Child {
  pid: number;
  /** Calls back with each complete line of its stdout. */
  onLine(listener: (line: string) => void): void;
  /** Resolves when the program has ended. Never rejects. */
  ended: Promise<void>;
  /** Returns how it ended and the end of its output, for error messages. */
  epitaph(): string;
  kill(signal: NodeJS.Signals): void;
}

/** The maximum length of stored stderr. */
const STDERR_KEPT_CHARS = 4096;

/** Starts a program. If it cannot be started, it counts as ended, with the reason. */
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

/** Ends all running programs, so that an interrupted run leaves no server. */
export function killChildren(): void {
  for (const child of running) child.kill("SIGKILL");
}
