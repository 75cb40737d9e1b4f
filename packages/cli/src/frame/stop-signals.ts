import { exitCodes } from "./exit-codes.ts";

/** Why a command was told to stop. */
export class Stopped extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super("stopped");
    this.exitCode = exitCode;
  }
}

/** Why a command ends whose standard output no one reads any more. */
export class ReaderGone extends Error {}

/** What this module needs of `process`. */
export interface SignalSource {
  on(signal: "SIGINT" | "SIGTERM", listener: () => void): unknown;
  off(signal: "SIGINT" | "SIGTERM", listener: () => void): unknown;
  exit(code: number): void;
}

export interface StopSignalOptions {
  /** A signal that comes so soon after the first one is its echo. Default 0: there are none. */
  readonly echoWindowMs?: number;
  /** For tests: where time comes from. Default `performance.now`. */
  readonly nowMs?: () => number;
}

/** npm passes a Ctrl-C on to what it has started, which the terminal has told already: a few milliseconds later. A person takes longer. */
export const npmEchoWindowMs = 500;

/**
 * The first Ctrl-C lets a command end in good order: a call is cancelled, a file is finished. The second one ends the process at
 * once, as does a second SIGTERM.
 */
export function watchStopSignals(
  source: SignalSource,
  controller: AbortController,
  { echoWindowMs = 0, nowMs = () => performance.now() }: StopSignalOptions = {},
): () => void {
  let firstAtMs = Number.NEGATIVE_INFINITY;
  const stop = (exitCode: number) => (): void => {
    if (!controller.signal.aborted) {
      firstAtMs = nowMs();
      controller.abort(new Stopped(exitCode));
    } else if (nowMs() - firstAtMs >= echoWindowMs) {
      source.exit(exitCode);
    }
  };
  const onInterrupt = stop(exitCodes.interrupted);
  const onTerminate = stop(exitCodes.terminated);
  source.on("SIGINT", onInterrupt);
  source.on("SIGTERM", onTerminate);
  return () => {
    source.off("SIGINT", onInterrupt);
    source.off("SIGTERM", onTerminate);
  };
}
