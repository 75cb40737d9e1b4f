import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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
  /** Calls started per second in all, however fast they are answered. Default: as fast as they are answered. */
  requestsPerSecond?: number;
}

/** Time beyond the load's own length after which h2load hangs. */
const EXTRA_TIMEOUT_MS = 20_000;

/** Writes the body of a case's request to where h2load finds it. */
export function writeBody(caseName: string, body: Buffer): string {
  const folder = join(BUILD_FOLDER, "bodies");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${caseName.replaceAll("/", "-")}.bin`);
  writeFileSync(file, body);
  return file;
}

/** Makes the load for the given time, and returns how long each request took. Throws unless every one was answered in full. */
export async function runH2loadForTimes(load: H2load, seconds: number): Promise<readonly number[]> {
  const logFile = join(BUILD_FOLDER, "h2load.log");
  rmSync(logFile, { force: true });
  await runH2load(load, seconds, [`--log-file=${logFile}`]);
  // Start time, status, and microseconds, parted by tabs.
  const lines = readFileSync(logFile, "utf8").trimEnd().split("\n");
  return lines.map((line) => Number(line.split("\t")[2]));
}

/** Makes the load for the given time; throws unless every request was answered in full. */
export async function runH2load(
  load: H2load,
  seconds: number,
  options: readonly string[] = [],
): Promise<H2loadFigures> {
  const durationMs = Math.round(seconds * 1000);
  const output = await runCommand(
    pinned(LOAD_CORE, [
      "h2load",
      `--clients=${load.connections}`,
      `--max-concurrent-streams=${load.streams}`,
      `--duration=${durationMs}ms`,
      `--data=${load.bodyFile}`,
      ...(load.requestsPerSecond === undefined ? [] : [`--rps=${load.requestsPerSecond / load.connections}`]),
      ...options,
      "--header=content-type: application/grpc",
      "--header=te: trailers",
      ...(load.headers ?? []).map((line) => `--header=${line}`),
      `${load.isTls ? "https" : "http"}://127.0.0.1:${load.port}/bench.echo.v1.EchoService/${load.method}`,
    ]),
    { timeoutMs: durationMs + EXTRA_TIMEOUT_MS },
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
