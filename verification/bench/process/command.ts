import { spawn } from "node:child_process";

export interface CommandOptions {
  /** The working directory. Default: this process's. */
  cwd?: string;
  /** The time limit, after which the command is killed and fails. Default 10 minutes: a first build of the C++ peer takes one. */
  timeoutMs?: number;
}

/** The number of quoted lines. The last lines of a failing tool say what went wrong. */
const LINES_QUOTED = 5;

/** Runs a program and returns its stdout. The error of a failed program quotes the end of its output. */
export function runCommand(
  [program, ...words]: readonly [string, ...string[]],
  options: CommandOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, {
      cwd: options.cwd,
      stdio: ["ignore", "pipe", "pipe"],
    });
    // Not spawn's timeout, because its timer stays if the program could not be started.
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

/** Joins the last lines of an output, without the stack, blank lines and version that Node prints with an error. */
export function lastWords(output: string): string {
  const telling = output.split("\n").filter((line) => !/^\s*$|^\s+at |^Node\.js v/.test(line));
  return telling
    .slice(-LINES_QUOTED)
    .map((line) => line.trim())
    .join(" / ");
}
