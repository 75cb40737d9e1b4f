import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** The result of h2spec. */
export interface H2specResult {
  readonly total: number;
  /** Ids of failed cases, as on h2spec's command line: `http2/6.9.1/3`. */
  readonly failed: readonly string[];
}

/** Runs h2spec, prints its output, and reads the result from it. */
export async function runTool(h2spec: string, arguments_: readonly string[]): Promise<H2specResult> {
  const tool = spawn(h2spec, arguments_, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(tool, "exit");
  const lines: string[] = [];
  for await (const line of createInterface({ input: tool.stdout })) {
    console.log(line);
    lines.push(line);
  }
  await ended;
  return readResult(lines);
}

const parts: ReadonlyMap<string, string> = new Map([
  ["Generic tests for HTTP/2 server", "generic"],
  ["Hypertext Transfer Protocol Version 2 (HTTP/2)", "http2"],
  ["HPACK: Header Compression for HTTP/2", "hpack"],
]);

/** Parses h2spec's report: parts, numbered sections, numbered cases with a cross if they failed, and a line with the counts. */
export function readResult(lines: readonly string[]): H2specResult {
  const failed = new Set<string>();
  let part = "";
  let section = "";
  let total = 0;
  for (const line of lines) {
    part = parts.get(line.trimEnd()) ?? part;
    section = /^ +([\d.]+)\. /.exec(line)?.[1] ?? section;
    const number = /^ +× (\d+): /.exec(line)?.[1];
    // Each failure is reported twice: in its section, and in a list at the end.
    if (number !== undefined) failed.add(`${part}/${section}/${number}`);
    total = Number(/^(\d+) tests, /.exec(line)?.[1] ?? total);
  }
  return { total, failed: [...failed] };
}
