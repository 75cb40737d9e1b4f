import { resolve } from "node:path";
import type { CommandContext } from "../frame/context.ts";
import { exitCodes } from "../frame/exit-codes.ts";
import { bufFailure } from "./build-image.ts";
import { parseProblems } from "./problems.ts";
import { type BufResult, runBuf } from "./run-buf.ts";
import { openWorkspace, prepareInput } from "./workspace.ts";

/** `tercel lint` */
export async function lintProtos(folder: string, context: CommandContext): Promise<void> {
  const workspace = openWorkspace(resolve(context.cwd, folder));
  const input = prepareInput(workspace);
  try {
    const result = await runBuf(["lint", input.folder, "--error-format", "json"], workspace.folder, context);
    if (result.exitCode !== 0)
      throw bufFailure("broken rules", result, { input, workspace, context }, exitCodeOf(result));
  } finally {
    input.dispose();
  }
}

/** Returns the exit code of a failed run: files that do not compile are invalid input, not a style problem. */
export function exitCodeOf({ stdout, stderr }: BufResult): number {
  const { problems } = parseProblems(`${stdout.toString("utf8")}\n${stderr}`);
  return problems.some(({ rule }) => rule === "COMPILE") ? exitCodes.invalidInput : exitCodes.partial;
}
