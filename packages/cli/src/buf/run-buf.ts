import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import { buffer, text } from "node:stream/consumers";
import type { CommandContext } from "../frame/context.ts";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure } from "../frame/failure.ts";

export interface BufResult {
  readonly exitCode: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** A program, and the arguments that come before all others. */
interface Program {
  readonly file: string;
  readonly args: readonly string[];
}

/**
 * Runs the project's buf, or the one on the PATH.
 *
 * @throws CommandFailure when buf is not installed
 */
export async function runBuf(args: readonly string[], folder: string, context: CommandContext): Promise<BufResult> {
  const program = findBuf(folder, context);
  if (program === undefined) {
    throw new CommandFailure(exitCodes.failed, "buf is not installed; it compiles .proto files", {
      hint: "npm install -D @bufbuild/buf",
    });
  }
  const child = spawn(program.file, [...program.args, ...args], {
    cwd: folder,
    env: { ...context.env },
    stdio: ["ignore", "pipe", "pipe"],
    signal: context.signal,
  });
  const ended = new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? exitCodes.failed));
  });
  const [exitCode, stdout, stderr] = await Promise.all([ended, buffer(child.stdout), text(child.stderr)]);
  return { exitCode, stdout, stderr };
}

/** Whether buf is installed in the project or on the PATH. */
export function hasBuf(folder: string, context: CommandContext): boolean {
  return findBuf(folder, context) !== undefined;
}

function findBuf(folder: string, { cwd, env }: CommandContext): Program | undefined {
  return findInstalled(cwd) ?? findInstalled(folder) ?? findOnPath(env);
}

/** Finds the buf that a project has installed as a package. */
function findInstalled(folder: string): Program | undefined {
  const wrapper = resolved(createRequire(join(folder, "package.json")), "@bufbuild/buf/bin/buf");
  if (wrapper === undefined) return undefined;
  // The package's own script only starts this binary.
  const binary = resolved(createRequire(wrapper), `@bufbuild/buf-${platformName()}/bin/buf`);
  return binary === undefined ? { file: process.execPath, args: [wrapper] } : { file: binary, args: [] };
}

function findOnPath(env: CommandContext["env"]): Program | undefined {
  const name = process.platform === "win32" ? "buf.exe" : "buf";
  const file = (env.PATH ?? "")
    .split(delimiter)
    .map((directory) => join(directory, name))
    .find(isExecutable);
  return file === undefined ? undefined : { file, args: [] };
}

function resolved(require: NodeJS.Require, path: string): string | undefined {
  try {
    return require.resolve(path);
  } catch {
    return undefined;
  }
}

function platformName(): string {
  const { platform, arch } = process;
  return `${platform}-${platform === "linux" && arch === "arm64" ? "aarch64" : arch === "arm" ? "armv7" : arch}`;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
