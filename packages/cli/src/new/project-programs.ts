import { spawn } from "node:child_process";
import type { CommandContext } from "../frame/context.ts";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure } from "../frame/failure.ts";

/**
 * Installs the packages of a project. What the package manager prints goes to standard error.
 *
 * @throws CommandFailure that says how to go on without this program
 */
export async function installPackages(manager: string, folder: string, context: CommandContext): Promise<void> {
  const exitCode = await runProgram(manager, ["install"], folder, context, (text) => void context.stderr.write(text));
  if (exitCode === 0) return;
  context.signal.throwIfAborted();
  const what =
    exitCode === undefined ? `${manager} is not installed` : `${manager} install ended with exit code ${exitCode}`;
  throw new CommandFailure(exitCodes.failed, what, {
    lines: ["every file of the project was written"],
    hint: `in its folder: ${manager} install && ${manager} run generate`,
  });
}

/** Makes a Git repository of a project. Returns false where it is inside of one already, or Git is not installed. */
export async function createRepository(folder: string, context: CommandContext): Promise<boolean> {
  const inside = await runProgram("git", ["rev-parse", "--is-inside-work-tree"], folder, context);
  if (inside === 0 || inside === undefined) return false;
  return (await runProgram("git", ["init", "--quiet", "--initial-branch=main"], folder, context)) === 0;
}

/** Resolves to the exit code, or undefined when there is no such program. */
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
    // Package managers are scripts there.
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
