import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { delimiter, dirname, join } from "node:path";
import type { CommandContext } from "../../frame/context.ts";
import { formatDuration } from "../../frame/duration.ts";
import { exitCodes } from "../../frame/exit-codes.ts";
import { CommandFailure } from "../../frame/failure.ts";
import { ownConditions } from "../../frame/node-conditions.ts";
import { reportFailure } from "../../frame/report-failure.ts";
import { terminalText } from "../../frame/terminal-text.ts";
import { condenseOutput } from "../output/condense-output.ts";
import type { Build } from "./build.ts";

/** Limit on the output that is kept of a build: its end, where the error is. */
const maxOutput = 64 * 1024;

/** Runs a build and reports how it went. Resolves to whether it succeeded; to false when the context's signal is aborted. */
export async function runBuild(build: Build, reason: string, context: CommandContext): Promise<boolean> {
  const startedAtMs = performance.now();
  const { failure, output, warnings } = await runProgram(build, context);
  if (context.signal.aborted) return false;
  if (failure !== undefined) {
    const lines = shownLines(output, build);
    await reportFailure(
      context,
      new CommandFailure(exitCodes.failed, `build ${build.name} ${failure}`, { lines }),
      false,
    );
    return false;
  }
  for (const line of shownLines(warnings, build)) await context.stderr.line(`  ${terminalText(line)}`);
  await context.stderr.line(`built ${build.name} in ${formatDuration(performance.now() - startedAtMs)}${reason}`);
  return true;
}

function shownLines(output: string, { folder }: Build): readonly string[] {
  const text = condenseOutput(output, folder, "last");
  return text === "" ? [] : text.split("\n");
}

interface BuildEnd {
  /** How it failed: `failed with exit code 1`; undefined if it succeeded. */
  readonly failure: string | undefined;
  readonly output: string;
  /** The part of the output on standard error. */
  readonly warnings: string;
}

async function runProgram(build: Build, { env, signal }: CommandContext): Promise<BuildEnd> {
  if (signal.aborted) return { failure: "did not run", output: "", warnings: "" };
  const child = startProgram(build, env);
  let [output, warnings] = ["", ""];
  const keep = (text: string, more: string): string => (text + more).slice(-maxOutput);
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    output = keep(output, text);
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    output = keep(output, text);
    warnings = keep(warnings, text);
  });
  const onAbort = (): void => killGroup(child);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    const failure = await new Promise<string | undefined>((resolve) => {
      child.once("error", (error) => resolve(`cannot start: ${error.message}`));
      child.once("close", (code, killedBy) => {
        if (killedBy !== null) resolve(`was killed by ${killedBy}`);
        else resolve(code === 0 ? undefined : `failed with exit code ${code}`);
      });
    });
    return { failure, output, warnings };
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function startProgram({ folder, program }: Build, env: CommandContext["env"]): ChildProcess {
  const options: SpawnOptions = {
    cwd: folder,
    env: { ...env, PATH: [...installedPrograms(folder), env.PATH].join(delimiter) },
    stdio: ["ignore", "pipe", "pipe"],
    // A shell and what it started are ended together, and Ctrl-C of the terminal reaches them only through this program.
    detached: process.platform !== "win32",
  };
  if ("command" in program) return spawn(program.command, { ...options, shell: true });
  const nodeArgs = ownConditions().map((condition) => `--conditions=${condition}`);
  return spawn(process.execPath, [...nodeArgs, program.entry], options);
}

/** Returns the folders with the programs of installed packages, nearest first, as npm has them in the PATH of a script. */
function installedPrograms(folder: string): readonly string[] {
  const own = join(folder, "node_modules/.bin");
  return dirname(folder) === folder ? [own] : [own, ...installedPrograms(dirname(folder))];
}

function killGroup(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  try {
    process.kill(process.platform === "win32" ? pid : -pid, "SIGKILL");
  } catch {
    // It has ended in the meantime.
  }
}
