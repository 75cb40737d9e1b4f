import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BUILD_FOLDER } from "../paths.ts";
import { runCommand } from "./command.ts";
import { type H2loadFigures, parseH2loadOutput } from "./h2load-output.ts";
import { LOAD_CORE, pinned } from "./pinned.ts";

/** The load that h2load makes: the same gRPC request over and over. */
export interface H2load {
  port: number;
  method: string;
  connections: number;
  /** Requests in flight on each connection. */
  streams: number;
  /** File with the body of the request. */
  bodyFile: string;
  /** Bytes that each answer's body has at least. */
  leastResponseBytes: number;
  isTls?: boolean;
  /** Header lines of every request next to gRPC's own: `name: value`. */
  headers?: readonly string[];
}

/** Time beyond the load's own length after which h2load hangs. */
const EXTRA_TIMEOUT_MS = 20_000;
/** A number of calls may take this many times as long as they were expected to. */
const SLOWEST = 4;

/** Writes the body of a case's request to where h2load finds it. */
export function writeBody(caseName: string, body: Buffer): string {
  const folder = join(BUILD_FOLDER, "bodies");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${caseName.replaceAll("/", "-")}.bin`);
  writeFileSync(file, body);
  return file;
}

/** Makes the load for the given time; throws unless every request was answered in full. Calls that are open when the time is over are cut off. */
export function runH2load(load: H2load, seconds: number): Promise<H2loadFigures> {
  const durationMs = Math.round(seconds * 1000);
  return run(load, `--duration=${durationMs}ms`, durationMs + EXTRA_TIMEOUT_MS);
}

/** Makes so many calls, and leaves none open; throws unless every one was answered in full. `seconds` is about how long they take. */
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

/** h2load's version. Fails with the package that brings it when it is not there. */
export async function h2loadVersion(): Promise<string> {
  try {
    const output = await runCommand(["h2load", "--version"]);
    return output.trim().split("/").at(-1) ?? output.trim();
  } catch (error) {
    throw new Error(`${(error as Error).message}; Debian's package nghttp2-client brings it`);
  }
}
