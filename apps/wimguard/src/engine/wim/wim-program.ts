import type { Readable } from "node:stream";

export const program = "wimlib-imagex";

/** Lines of progress end in a carriage return. */
export async function* progressLines(stdout: Readable): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of stdout as AsyncIterable<Buffer>) {
    const lines = (rest + chunk.toString()).split(/[\r\n]/);
    rest = lines.pop() ?? "";
    yield* lines;
  }
  yield rest;
}

/** Reads to the end what is not needed. */
export async function drain(stdout: Readable): Promise<void> {
  for await (const _ of stdout);
}
