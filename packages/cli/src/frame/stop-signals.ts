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

/**
 * The first Ctrl-C lets a command end in good order: a call is cancelled, a file is finished. The second one ends the process at
 * once, as does a second SIGTERM.
 */
export function watchStopSignals(source: SignalSource, controller: AbortController): () => void {
  const stop = (exitCode: number) => (): void => {
    if (controller.signal.aborted) source.exit(exitCode);
    else controller.abort(new Stopped(exitCode));
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
