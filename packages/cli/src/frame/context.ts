import type { Readable } from "node:stream";
import type { Output } from "./output.ts";

/** What a command runs in. Everything that it reads and writes goes through here, so that a test can be the terminal. */
export interface CommandContext {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  /** Data, and nothing else: it may be piped into another program. */
  readonly stdout: Output;
  /** Notes, progress, prompts and errors. */
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Aborted by the first Ctrl-C, by SIGTERM, and when no one reads standard output any more. */
  readonly signal: AbortSignal;
}

/** True where someone can answer a question. */
export function isInteractive(context: CommandContext): boolean {
  return context.stdin.isTTY === true && context.stderr.isTerminal;
}
