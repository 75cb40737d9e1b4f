import type { Readable } from "node:stream";
import type { Output } from "./output.ts";

/** The environment of a command: all that it reads and writes goes through here, so that a test can replace the terminal. */
export interface CommandContext {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  /** Standard output: data only, since it may be piped into another program. */
  readonly stdout: Output;
  /** Standard error: notes, progress, prompts and errors. */
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Aborted by the first Ctrl-C, by SIGTERM, and when standard output is closed by its reader. */
  readonly signal: AbortSignal;
}

/** Whether the command runs on a terminal and can prompt. */
export function isInteractive(context: CommandContext): boolean {
  return context.stdin.isTTY === true && context.stderr.isTerminal;
}
