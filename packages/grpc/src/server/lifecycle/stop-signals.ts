/**
 * npm passes a Ctrl-C on to a process that the terminal has told already, a few milliseconds later. A person's second
 * Ctrl-C takes longer than this.
 */
const echoWindowMs = 500;

/** What a stop signal means: the first one a graceful stop, a later one an end without further waiting. */
export interface StopLadder {
  signal(nowMs: number): "stop" | "echo" | "force";
}

/** Creates the rule that tells a first signal, its echo and a person's second signal apart. */
export function createStopLadder(): StopLadder {
  let firstAtMs: number | undefined;
  return {
    signal(nowMs) {
      if (firstAtMs === undefined) {
        firstAtMs = nowMs;
        return "stop";
      }
      return nowMs - firstAtMs < echoWindowMs ? "echo" : "force";
    },
  };
}

/**
 * Listens for the signals that end a program: from a terminal, a process manager, or a terminal that was closed. Returns what
 * ends the listening.
 */
export function onStopSignals(
  signals: readonly NodeJS.Signals[],
  nowMs: () => number,
  stop: (signal: string) => void,
  force: (signal: string) => void,
): () => void {
  const ladder = createStopLadder();
  const hear = (signal: NodeJS.Signals): void => {
    const step = ladder.signal(nowMs());
    if (step === "stop") stop(signal);
    if (step === "force") force(signal);
  };
  for (const signal of signals) process.on(signal, hear);
  return () => {
    for (const signal of signals) process.off(signal, hear);
  };
}
