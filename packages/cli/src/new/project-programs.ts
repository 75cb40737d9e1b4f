import { spawn } from "node:child_process";
import type { CommandContext } from "../frame/context.ts";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure } from "../frame/failure.ts";

/**
 * Installs the packages of a project. The output of the package manager goes to standard error.
 *
 * @throws CommandFailure with the commands to run by hand
 */
export async function installPackages(manager: string, folder: string, context: CommandContext): Promise<void> {
  const exitCode = await runProgram(manager, ["install"], folder, context, (text) => void context.stderr.write(text));
  if (exitCode === 0) return;
  context.signal.throwIfAborted();
  const what =
    exitCode === undefined ? `${manager} is not installed` : `${manager} install exited with code ${exitCode}`;
  throw new CommandFailure(exitCodes.failed, what, {
    lines: ["all files of the project were written"],
    hint: `in its folder: ${manager} install && ${manager} run generate`,
  });
}

/** Creates a Git repository in a project. Returns false if it is inside one already, or Git is not installed. */
export async function createRepository(folder: string, context: CommandContext): Promise<boolean> {
  const inside = await runProgram("git", ["rev-parse", "--is-inside-work-tree"], folder, context);
  if (inside === 0 || inside === undefined) return false;
  return (await runProgram("git", ["init", "--quiet", "--initial-branch=main"], folder, context)) === 0;
}

/** Runs a program. Resolves to its exit code, or to undefined if it is not installed. */
async function runProgram(
  program: string,
  args: readonly string[],
  folder: string,
  { env, signal }: CommandContext,
  onOutput: (text: string) => void = () => {},
): Promise<number | undefined> {
  const child = spawn(program, args, {
    cwd: folder,
    env: { ...env },
    stdio: ["ignore", "pipe", "pipe"],
    signal,
    // On Windows, package managers are scripts.
    shell: process.platform === "win32",
  });
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", onOutput);
  return new Promise((resolve, reject) => {
    child.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") resolve(undefined);
      else reject(error);
    });
    child.once("close", (code) => resolve(code ?? exitCodes.failed));
  });
}
