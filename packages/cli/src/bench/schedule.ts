/** A rate and its duration. */
export interface Stage {
  readonly durationMs: number;
  /** Calls per second. */
  readonly rate: number;
}

/** The calls that a worker makes: those whose number leaves this remainder. */
export interface Share {
  readonly index: number;
  readonly of: number;
}

/**
 * Yields the times at which calls are due, in milliseconds from the start, ascending. They depend on the stages alone and never on earlier
 * calls: that makes the load an open loop.
 */
export function* dueTimes(stages: readonly Stage[], share: Share = { index: 0, of: 1 }): Generator<number, void> {
  let startMs = 0;
  let number = share.index;
  let numberAtStart = 0;
  for (const { durationMs, rate } of stages) {
    const count = Math.round((durationMs * rate) / 1000);
    for (; number < numberAtStart + count; number += share.of) yield startMs + ((number - numberAtStart) * 1000) / rate;
    numberAtStart += count;
    startMs += durationMs;
  }
}
