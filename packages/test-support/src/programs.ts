import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";

/** A program that a test has started. */
export interface StartedProgram {
  /** The next line that it prints; fails when it ends without one. */
  line(): Promise<string>;
  /** All that it prints from here on, until it ends. */
  rest(): Promise<string[]>;
  /** Something for it to read. */
  say(line: string): void;
  signal(name: NodeJS.Signals): void;
  /** Its exit code, and the signal that has ended it. */
  readonly ended: Promise<[code: number | null, signal: NodeJS.Signals | null]>;
}

/** Starts a TypeScript program by this process's Node. It ends with the test at the latest. */
export function startProgram(
  test: TestContext,
  file: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): StartedProgram {
  return startCommand(test, process.execPath, ["--conditions=source", file, ...args], env);
}

/** Starts any program, given by its path. It ends with the test at the latest. */
export function startCommand(
  test: TestContext,
  program: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): StartedProgram {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "inherit"] });
  // One that ends does not wait for its input.
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

/** Runs a TypeScript program to its end and returns what it printed; fails when its exit code is not 0. */
export function runProgram(file: string, args: readonly string[] = []): string {
  return execFileSync(process.execPath, ["--conditions=source", file, ...args], { encoding: "utf8", timeout: 60_000 });
}

async function end(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  child.kill("SIGKILL");
  await ended;
}
