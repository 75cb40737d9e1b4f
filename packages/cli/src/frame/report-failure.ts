import { thrownMessage } from "@tercel/grpc/internal";
import type { CommandContext } from "./context.ts";
import { exitCodes } from "./exit-codes.ts";
import { CommandFailure } from "./failure.ts";
import { jsonVersion } from "./output-format.ts";
import { Stopped } from "./stop-signals.ts";
import { terminalText } from "./terminal-text.ts";

/** Converts an exception of a command to a failure with an exit code. */
export function toFailure(thrown: unknown, signal: AbortSignal): CommandFailure {
  // Any failure after Ctrl-C is caused by it.
  if (signal.aborted && signal.reason instanceof Stopped) {
    return new CommandFailure(signal.reason.exitCode, "interrupted", { cause: thrown });
  }
  if (thrown instanceof CommandFailure) return thrown;
  return new CommandFailure(exitCodes.failed, thrownMessage(thrown), { cause: thrown });
}

/** Prints a failure to standard error; with JSON as one object on the last line. */
export async function reportFailure(context: CommandContext, failure: CommandFailure, asJson: boolean): Promise<void> {
  const { stderr } = context;
  const { message, hint, lines, exitCode } = failure;
  if (asJson) {
    const error = { message, exitCode, ...(hint !== undefined && { hint }), ...failure.json };
    return stderr.line(JSON.stringify({ version: jsonVersion, error }));
  }
  await stderr.line(`${stderr.style("red", "error:")} ${terminalText(message)}`);
  for (const line of lines) await stderr.line(`  ${terminalText(line)}`);
  if (hint !== undefined) await stderr.line(`${stderr.style("cyan", "hint:")} ${terminalText(hint)}`);
}
