import { confirm, isCancel } from "@clack/prompts";
import type { CommandContext } from "../frame/context.ts";

/** Prompts whether the user's own files may be changed as shown. */
export async function askToChange(
  paths: readonly string[],
  { stdin, stderr, signal }: CommandContext,
): Promise<boolean> {
  const answer = await confirm({
    input: stdin,
    output: stderr.stream,
    signal,
    message: `Apply this change to ${paths.length === 1 ? paths[0] : `your ${paths.length} files`}?`,
  });
  return !isCancel(answer) && answer;
}
