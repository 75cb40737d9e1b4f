import { confirm, isCancel } from "@clack/prompts";
import type { CommandContext } from "../frame/context.ts";

/** Asks whether files of the caller's own may be changed as shown. */
export async function askToChange(
  paths: readonly string[],
  { stdin, stderr, signal }: CommandContext,
): Promise<boolean> {
  const answer = await confirm({
    input: stdin,
    output: stderr.stream,
    signal,
    message: `Change ${paths.length === 1 ? paths[0] : `these ${paths.length} files`} of yours so?`,
  });
  return !isCancel(answer) && answer;
}
