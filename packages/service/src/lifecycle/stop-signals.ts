import { checkWholeNumber, refuseUnknownOptions } from "@tercel/grpc/internal";
import { onNpmEnd } from "./npm-end.ts";

export interface StopSignalOptions {
  /** Called at the first signal: starts a graceful stop, for example with `server.close`. */
  stop(signal: NodeJS.Signals): void;
  /** Called at a second signal: ends without further waiting. Default: the process exits with code 1. */
  force?(signal: NodeJS.Signals): void;
  /**
   * Time after the first signal within which another one is ignored as its echo, in milliseconds: npm forwards Ctrl-C to a process that the terminal has
   * signalled already, a few milliseconds later. Default 500: a person takes longer.
   */
  echoWindowMs?: number;
  /** Signals. Default: those of a terminal, a process manager and a closed terminal. With SIGTERM, the end of npm counts too. */
  signals?: readonly NodeJS.Signals[];
  /** Clock, for tests. Default: `performance.now`. */
  nowMs?: () => number;
}

const defaultEchoWindowMs = 500;
export const defaultStopSignals: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * Handles the signals that end a program: the first one stops it gracefully, a later one at once. Returns a function that stops listening.
 *
 * The end of the npm that started the program (`npm start`) counts as a first SIGTERM, which npm's shell does not forward. After another signal it has
 * no effect.
 *
 * @throws TypeError for an unknown option, RangeError for an invalid echo window
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

/** Creates the function that classifies signals: a first one, its echo, or a second one. The echo window starts at the first. */
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
