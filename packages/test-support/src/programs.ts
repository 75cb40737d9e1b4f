import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";

/** A program that a test has started. */
export interface StartedProgram {
  /** Returns the next line of its output. Rejects if it ends before. */
  line(): Promise<string>;
  /** Returns the rest of its output when it ends. */
  rest(): Promise<string[]>;
  /** Writes to its input. */
  say(line: string): void;
  signal(name: NodeJS.Signals): void;
  /** Its exit code, or the signal that has ended it. */
  readonly ended: Promise<[code: number | null, signal: NodeJS.Signals | null]>;
}

/** Starts a TypeScript program with the Node.js of this process. It is stopped at the end of the test. */
export function startProgram(
  test: TestContext,
  file: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): StartedProgram {
  return startCommand(test, process.execPath, ["--conditions=source", file, ...args], env);
}

/** Starts a program by its path. It is stopped at the end of the test. */
export function startCommand(
  test: TestContext,
  program: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): StartedProgram {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "inherit"] });
  // A program that has ended does not read its input.
  child.stdin.on("error", () => {});
  const ended = once(child, "close") as StartedProgram["ended"];
  test.after(() => end(child, ended));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async line() {
      const { value, done } = await lines.next();
      if (done) throw new Error(`${program} ${args.join(" ")} ended without another line`);
      return value;
    },
    async rest() {
      const rest: string[] = [];
      for await (const line of { [Symbol.asyncIterator]: () => lines }) rest.push(line);
      return rest;
    },
    say: (line) => void child.stdin.write(`${line}\n`),
    signal: (name) => void child.kill(name),
    ended,
  };
}

/** Runs a TypeScript program and returns its output. Throws if the exit code is not 0. */
export function runProgram(file: string, args: readonly string[] = []): string {
  return execFileSync(process.execPath, ["--conditions=source", file, ...args], { encoding: "utf8", timeout: 60_000 });
}

async function end(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  child.kill("SIGKILL");
  await ended;
}
