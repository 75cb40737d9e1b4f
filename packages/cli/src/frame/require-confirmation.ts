import { confirm, isCancel } from "@clack/prompts";
import { type CommandContext, isInteractive } from "./context.ts";
import { exitCodes } from "./exit-codes.ts";
import { CommandFailure, usageFailure } from "./failure.ts";

/**
 * Asks for confirmation of an action that cannot be undone. `--yes` confirms it, and is required without a terminal.
 *
 * @param action the question without its mark: `undo 0002_orders at sqlite at data/users.db`
 * @throws CommandFailure unless confirmed
 */
export async function requireConfirmation(
  action: string,
  isGiven: boolean | undefined,
  context: CommandContext,
): Promise<void> {
  if (isGiven === true) return;
  if (!isInteractive(context)) throw usageFailure(`not confirmed: ${action}`, "add --yes");
  const { stdin, stderr, signal } = context;
  const answer = await confirm({
    input: stdin,
    output: stderr.stream,
    signal,
    message: `${action.charAt(0).toUpperCase()}${action.slice(1)}?`,
    initialValue: false,
  });
  if (isCancel(answer)) throw new CommandFailure(exitCodes.interrupted, "interrupted; nothing was changed");
  if (!answer) throw new CommandFailure(exitCodes.failed, "not confirmed; nothing was changed");
}
