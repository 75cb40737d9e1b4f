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
}

/** Time beyond the load's own length after which h2load hangs. */
const EXTRA_TIMEOUT_MS = 20_000;

/** Makes the load for the given time; throws unless every request was answered in full. */
export async function runH2load(load: H2load, seconds: number): Promise<H2loadFigures> {
  const durationMs = Math.round(seconds * 1000);
  const output = await runCommand(
    pinned(LOAD_CORE, [
      "h2load",
      `--clients=${load.connections}`,
      `--max-concurrent-streams=${load.streams}`,
      `--duration=${durationMs}ms`,
      `--data=${load.bodyFile}`,
      "--header=content-type: application/grpc",
      "--header=te: trailers",
      `http://127.0.0.1:${load.port}/bench.echo.v1.EchoService/${load.method}`,
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
