import type { StreamSize } from "../peers/echo-values.ts";
import { startChild } from "./children.ts";
import { type ClientFigures, parseClientFigures } from "./client-figures.ts";
import { pinned } from "./pinned.ts";

export interface ClientLoad {
  readonly target: string;
  readonly kind: "unary" | "stream" | "client-stream";
  /** Calls in flight. */
  readonly concurrency: number;
  readonly seconds: number;
  /** The messages of each streaming call. Default: 1000 messages of 16 bytes, as the clients have agreed. */
  readonly size?: StreamSize | undefined;
}

/** The time limit for starting, connecting and the warm-up. */
const EXTRA_TIMEOUT_MS = 20_000;

/**
 * Runs a client and returns its report. Calls `onMeasuring` when the client reports the end of its warm-up.
 */
export async function runClient(
  command: readonly string[],
  core: number,
  load: ClientLoad,
  onMeasuring?: () => void,
): Promise<ClientFigures> {
  const { target, kind, concurrency, seconds, size } = load;
  const sizes = size === undefined ? [] : [size.count, size.payloadSize];
  const words = [target, kind, ...[concurrency, seconds, ...sizes].map(String)];
  const timeoutMs = seconds * 1000 + EXTRA_TIMEOUT_MS;
  return parseClientFigures(await lastLineOf([...command, ...words], core, timeoutMs, onMeasuring));
}

/** Runs a load generator and returns its last line, apart from the line that reports the start of the measurement. */
export async function lastLineOf(
  command: readonly string[],
  core: number,
  timeoutMs: number,
  onMeasuring?: () => void,
): Promise<string> {
  const child = startChild(pinned(core, command));
  let lastLine: string | undefined;
  let timedOut = false;
  child.onLine((line) => {
    if (line === '{"measuring":true}') onMeasuring?.();
    else lastLine = line;
  });
  const patience = setTimeout(() => {
    timedOut = true;
    child.kill("SIGKILL");
  }, timeoutMs);
  await child.ended;
  clearTimeout(patience);
  if (timedOut) throw new Error(`the client reported nothing within ${timeoutMs / 1000} seconds`);
  if (lastLine === undefined) throw new Error(`the client ${child.epitaph()}`);
  return lastLine;
}
