import { checkWholeNumber } from "../call/check-number.ts";
import { refuseUnknownOptions } from "../call/unknown-option.ts";

export interface StopSignalOptions {
  /** The first signal has come: begin to stop, for example with `server.close`. */
  stop(signal: NodeJS.Signals): void;
  /** A person or a process manager has asked again, and wants no more waiting. Default: the process exits with code 1. */
  force?(signal: NodeJS.Signals): void;
  /**
   * How soon behind the first signal another is taken for its echo: npm passes a Ctrl-C on to a process that the terminal has
   * told already, a few milliseconds later. Default 500: a person takes longer.
   */
  echoWindowMs?: number;
  /** Default: what a terminal, a process manager and a terminal that is closed send. */
  signals?: readonly NodeJS.Signals[];
  /** For tests: where time comes from. Default: `performance.now`. */
  nowMs?: () => number;
}

const defaultEchoWindowMs = 500;
export const defaultStopSignals: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * Listens for the signals that end a program: the first is a graceful stop, a later one an end without further waiting. The
 * function that is returned stops listening.
 *
 * @throws TypeError for an unknown option, RangeError for an echo window that is no whole number
 */
export function onStopSignals(options: StopSignalOptions): () => void {
  const where = "onStopSignals";
  refuseUnknownOptions(where, options, ["stop", "force", "echoWindowMs", "signals", "nowMs"]);
  checkWholeNumber(where, "echoWindowMs", options.echoWindowMs, 0, Number.MAX_SAFE_INTEGER);
  const ladder = createStopLadder(options.echoWindowMs ?? defaultEchoWindowMs);
  const nowMs = options.nowMs ?? (() => performance.now());
  const signals = options.signals ?? defaultStopSignals;
  const heard = (signal: NodeJS.Signals): void => {
    const step = ladder(nowMs());
    if (step === "stop") options.stop(signal);
    else if (step === "force") (options.force ?? exitNow)(signal);
  };
  for (const signal of signals) process.on(signal, heard);
  return () => {
    for (const signal of signals) process.off(signal, heard);
  };
}

/** The rule that tells a first signal, its echo and a second one apart. The time of an echo counts from the first. */
export function createStopLadder(echoWindowMs: number): (nowMs: number) => "stop" | "echo" | "force" {
  let firstAtMs: number | undefined;
  return (nowMs) => {
    if (firstAtMs === undefined) {
      firstAtMs = nowMs;
      return "stop";
    }
    return nowMs - firstAtMs < echoWindowMs ? "echo" : "force";
  };
}

function exitNow(): void {
  process.exit(1);
}
