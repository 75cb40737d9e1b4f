import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BUILD_FOLDER } from "../paths.ts";
import { runCommand } from "./command.ts";
import { type H2loadFigures, parseH2loadOutput } from "./h2load-output.ts";
import { LOAD_CORE, pinned } from "./pinned.ts";

/** The load of h2load: the same gRPC request repeatedly. */
export interface H2load {
  port: number;
  method: string;
  connections: number;
  /** Requests in flight on each connection. */
  streams: number;
  /** The file with the body of the request. */
  bodyFile: string;
  /** Minimum bytes of each response's body. */
  leastResponseBytes: number;
  isTls?: boolean;
  /** Additional header lines of every request: `name: value`. */
  headers?: readonly string[];
}

/** Additional time limit after the length of the load. */
const EXTRA_TIMEOUT_MS = 20_000;
/** A number of calls may take this many times as long as expected. */
const SLOWEST = 4;

/** Writes the body of a case's request to a file for h2load. */
export function writeBody(caseName: string, body: Buffer): string {
  const folder = join(BUILD_FOLDER, "bodies");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${caseName.replaceAll("/", "-")}.bin`);
  writeFileSync(file, body);
  return file;
}

/** Makes the load for the given time, and then breaks open calls. Throws unless every request got its whole response. */
export function runH2load(load: H2load, seconds: number): Promise<H2loadFigures> {
  const durationMs = Math.round(seconds * 1000);
  return run(load, `--duration=${durationMs}ms`, durationMs + EXTRA_TIMEOUT_MS);
}

/** Makes this many calls, and leaves none open. Throws unless every call got its whole response. They take about `seconds`. */
export function runH2loadCalls(load: H2load, calls: number, seconds: number): Promise<H2loadFigures> {
  return run(load, `--requests=${calls}`, seconds * SLOWEST * 1000 + EXTRA_TIMEOUT_MS);
}

async function run(load: H2load, extent: string, timeoutMs: number): Promise<H2loadFigures> {
  const output = await runCommand(
    pinned(LOAD_CORE, [
      "h2load",
      `--clients=${load.connections}`,
      `--max-concurrent-streams=${load.streams}`,
      extent,
      `--data=${load.bodyFile}`,
      "--header=content-type: application/grpc",
      "--header=te: trailers",
      ...(load.headers ?? []).map((line) => `--header=${line}`),
      `${load.isTls ? "https" : "http"}://127.0.0.1:${load.port}/bench.echo.v1.EchoService/${load.method}`,
    ]),
    { timeoutMs },
  );
  return parseH2loadOutput(output, load.leastResponseBytes);
}

/** Returns h2load's version. If it is not installed, the error names its package. */
export async function h2loadVersion(): Promise<string> {
  try {
    const output = await runCommand(["h2load", "--version"]);
    return output.trim().split("/").at(-1) ?? output.trim();
  } catch (error) {
    throw new Error(`${(error as Error).message}; Debian's package nghttp2-client brings it`);
  }
}
