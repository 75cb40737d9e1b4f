import { CommanderError } from "commander";
import type { CommandContext } from "./frame/context.ts";
import { exitCodes } from "./frame/exit-codes.ts";
import { wantsJsonErrors } from "./frame/output-format.ts";
import { ReaderGone } from "./frame/stop-signals.ts";
import { createProgram } from "./program.ts";

/** Runs a command line, without the names of Node and of the program, and returns the exit code. Never throws. */
export async function runCommandLine(args: readonly string[], context: CommandContext): Promise<number> {
  try {
    await createProgram(context).parseAsync(args, { from: "user" });
    return exitCodes.ok;
  } catch (thrown) {
    // Help was requested and printed.
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return exitCodes.ok;
    return endWith(thrown, args, context);
  }
}

/** Prints why a command failed. Loads its modules on demand, since help and completions do not need them. */
async function endWith(thrown: unknown, args: readonly string[], context: CommandContext): Promise<number> {
  const { misuse } = await import("./misuse.ts");
  const { reportFailure, toFailure } = await import("./frame/report-failure.ts");
  const { signal } = context;
  // A reader that closes the pipe has read what it wanted.
  if (signal.aborted && signal.reason instanceof ReaderGone) return exitCodes.ok;
  const failure = thrown instanceof CommanderError ? misuse(thrown) : toFailure(thrown, signal);
  await reportFailure(context, failure, wantsJsonErrors(args));
  return failure.exitCode;
}
