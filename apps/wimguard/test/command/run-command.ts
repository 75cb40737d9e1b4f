import type { Buffer } from "node:buffer";
import { Writable } from "node:stream";
import { runCommand } from "../../src/command/program.ts";
import { afterwards, type CleanupContext } from "../daemon/cleanup.ts";

/** What a command has printed, and its exit code. */
export interface EndedCommand {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Collects text. */
export class TextSink extends Writable {
  text = "";

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/** Runs a command line in this process. */
export async function wimguard(...args: string[]): Promise<EndedCommand> {
  const [out, err] = [new TextSink(), new TextSink()];
  const code = await runCommand(args, { out, err });
  return { code, out: out.text, err: err.text };
}

/** The lines of JSON that a command has printed. */
export function linesOf({ out }: EndedCommand): Record<string, unknown>[] {
  return out
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Sets variables of this process until the test ends. */
export function setVariables(context: CleanupContext, variables: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(variables)) {
    const before = process.env[name];
    process.env[name] = value;
    afterwards(context, () => {
      if (before === undefined) delete process.env[name];
      else process.env[name] = before;
    });
  }
}
