import type { StreamSize } from "../peers/echo-values.ts";
import { startChild } from "./children.ts";
import { type ClientFigures, parseClientFigures } from "./client-figures.ts";
import { pinned } from "./pinned.ts";

export interface ClientLoad {
  readonly target: string;
  readonly kind: "unary" | "stream" | "client-stream";
  /** Calls in flight at any time. */
  readonly concurrency: number;
  readonly seconds: number;
  /** Of each call that streams. Default: what the clients have agreed on, 1000 messages of 16 bytes. */
  readonly size?: StreamSize | undefined;
}

/** Time for starting, connecting and the warm-up, beyond which a client hangs. */
const EXTRA_TIMEOUT_MS = 20_000;

/**
 * Runs a client to its end and returns what it reports. `onMeasuring` is called when the client says that its warm-up
 * is over.
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

/** Runs a program that makes load to its end, and returns the last line that it prints but the one which says that it begins to measure. */
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
