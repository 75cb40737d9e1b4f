/** Where time comes from, so that tests can bring their own. */
export interface Clock {
  /** Milliseconds that never run backwards. */
  nowMs(): number;
  /** Calls `run` once after `delayMs`; the returned function calls it off. Does not keep the process alive. */
  after(delayMs: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
