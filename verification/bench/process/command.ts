import { spawn } from "node:child_process";

export interface CommandOptions {
  /** Folder to run in; default is this process's. */
  cwd?: string;
  /** After this the command is killed and fails. Default 10 minutes: a first build of the C++ peer takes one. */
  timeoutMs?: number;
}

/** What a failing tool says last is what went wrong; all of it would bury the report. */
const LINES_QUOTED = 5;

/** Runs a program to its end and returns what it wrote to stdout. Fails with the program's own last words. */
export function runCommand(
  [program, ...words]: readonly [string, ...string[]],
  options: CommandOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, {
      cwd: options.cwd,
      stdio: ["ignore", "pipe", "pipe"],
    });
    // Not spawn's own timeout: its timer outlives a program that could not be started.
    const patience = setTimeout(() => child.kill("SIGKILL"), options.timeoutMs ?? 600_000);
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.on("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(patience);
      reject(error.code === "ENOENT" ? new Error(`${program} is not installed`) : error);
    });
    child.on("close", (code, signal) => {
      clearTimeout(patience);
      if (code === 0) resolve(stdout);
      else
        reject(
          new Error(
            `${program} ended with ${signal ?? `exit code ${code}`}: ${lastWords(stderr.trim() || stdout.trim())}`,
          ),
        );
    });
  });
}

/** The last lines of an output on one line, without what Node prints around an error: stack, blank lines, version. */
export function lastWords(output: string): string {
  const telling = output.split("\n").filter((line) => !/^\s*$|^\s+at |^Node\.js v/.test(line));
  return telling
    .slice(-LINES_QUOTED)
    .map((line) => line.trim())
    .join(" / ");
}
