/** A rate, and how long it holds. */
export interface Stage {
  readonly durationMs: number;
  /** Calls per second. */
  readonly rate: number;
}

/** Which of the calls a worker makes: all whose number leaves this remainder. */
export interface Share {
  readonly index: number;
  readonly of: number;
}

/**
 * When calls are due, in milliseconds from the start, ascending. It depends on the stages alone and never on how the calls before
 * went: that is what makes the load an open loop.
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
