import { checkWholeNumber, refuseUnknownOptions } from "@tercel/grpc/internal";
import { onNpmEnd } from "./npm-end.ts";

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
  /** Default: what a terminal, a process manager and a terminal that is closed send. With SIGTERM among them, the end of npm counts too. */
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
 * The end of the npm that has started the program (`npm start`) is a first SIGTERM, which npm's shell does not pass on. After another signal
 * it changes nothing.
 *
 * @throws TypeError for an unknown option, RangeError for an echo window that is not a whole number
 */
export function onStopSignals(options: StopSignalOptions): () => void {
  const where = "onStopSignals";
  refuseUnknownOptions(where, options, ["stop", "force", "echoWindowMs", "signals", "nowMs"]);
  checkWholeNumber(where, "echoWindowMs", options.echoWindowMs, 0, Number.MAX_SAFE_INTEGER);
  const ladder = createStopLadder(options.echoWindowMs ?? defaultEchoWindowMs);
  const nowMs = options.nowMs ?? (() => performance.now());
  const signals = options.signals ?? defaultStopSignals;
  let isStopping = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    isStopping = true;
    const step = ladder(nowMs());
    if (step === "stop") options.stop(signal);
    else if (step === "force") (options.force ?? exitNow)(signal);
  };
  const onEndOfNpm = (): void => {
    if (!isStopping) onSignal("SIGTERM");
  };
  for (const signal of signals) process.on(signal, onSignal);
  const stopWatching = signals.includes("SIGTERM") ? onNpmEnd(onEndOfNpm) : undefined;
  return () => {
    for (const signal of signals) process.off(signal, onSignal);
    stopWatching?.();
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
