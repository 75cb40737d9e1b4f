import { exitCodes } from "./exit-codes.ts";

/** The abort reason of a command that a signal stopped. */
export class Stopped extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super("stopped");
    this.exitCode = exitCode;
  }
}

/** The abort reason of a command whose standard output was closed by its reader. */
export class ReaderGone extends Error {}

/** The part of `process` that this module uses. */
export interface SignalSource {
  on(signal: "SIGINT" | "SIGTERM", listener: () => void): unknown;
  off(signal: "SIGINT" | "SIGTERM", listener: () => void): unknown;
  exit(code: number): void;
}

export interface StopSignalOptions {
  /** A signal within this time after the first one is ignored as its echo. Default 0: no echoes. */
  readonly echoWindowMs?: number;
  /** Clock, for tests. Default `performance.now`. */
  readonly nowMs?: () => number;
}

/** npm forwards Ctrl-C to its children, which the terminal has signalled already, a few milliseconds later. A person takes longer. */
export const npmEchoWindowMs = 500;

/**
 * Handles stop signals. The first Ctrl-C aborts the command, which ends in good order: a call is cancelled, a file is finished. A second
 * Ctrl-C or SIGTERM ends the process at once.
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
