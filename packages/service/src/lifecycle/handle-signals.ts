import { onStopSignals } from "./stop-signals.ts";

/** A target of stop signals. */
export interface Stoppable {
  stop(reason: string): void;
  force(reason: string): void;
}

export interface HeededSignals {
  readonly signals?: readonly NodeJS.Signals[];
  readonly signal?: AbortSignal;
}

/** Handles the process's signals and the abort signal while `run` runs. */
export async function handleSignals<Outcome>(
  given: HeededSignals,
  nowMs: () => number,
  target: Stoppable,
  run: () => Promise<Outcome>,
): Promise<Outcome> {
  const { signals, signal } = given;
  const stopListening = onStopSignals({
    ...(signals !== undefined && { signals }),
    nowMs,
    stop: (name) => target.stop(name),
    force: (name) => target.force(name),
  });
  const onAbort = (): void => target.stop(String(signal?.reason));
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  try {
    return await run();
  } finally {
    stopListening();
    signal?.removeEventListener("abort", onAbort);
  }
}
