import { startChild } from "./children.ts";
import { type ClientFigures, parseClientFigures } from "./client-figures.ts";
import { pinned } from "./pinned.ts";

export interface ClientLoad {
  target: string;
  kind: "unary" | "stream" | "client-stream";
  /** Calls in flight at any time. */
  concurrency: number;
  seconds: number;
}

/** Time for starting, connecting and the warm-up, beyond which a client hangs. */
const EXTRA_TIMEOUT_MS = 20_000;

/**
 * Runs a client to its end and returns what it reports. `onMeasuring` is called when the client says that its warm-up
 * is over; only the one that serves as load for servers does.
 */
export async function runClient(
  command: readonly string[],
  core: number,
  load: ClientLoad,
  onMeasuring?: () => void,
): Promise<ClientFigures> {
  const child = startChild(
    pinned(core, [...command, load.target, load.kind, String(load.concurrency), String(load.seconds)]),
  );
  let lastLine: string | undefined;
  let timedOut = false;
  child.onLine((line) => {
    if (line === '{"measuring":true}') onMeasuring?.();
    else lastLine = line;
  });
  const timeoutMs = load.seconds * 1000 + EXTRA_TIMEOUT_MS;
  const patience = setTimeout(() => {
    timedOut = true;
    child.kill("SIGKILL");
  }, timeoutMs);
  await child.ended;
  clearTimeout(patience);
  if (timedOut) throw new Error(`the client reported nothing within ${timeoutMs / 1000} seconds`);
  if (lastLine === undefined) throw new Error(`the client ${child.epitaph()}`);
  return parseClientFigures(lastLine);
}
