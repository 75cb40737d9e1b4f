/** What the open loop reports. */
export interface OpenLoopFigures {
  /** Calls that were answered rightly, of those that were due after the warm-up. */
  readonly calls: number;
  /** What was wrong with the others, and how often. */
  readonly errors: Readonly<Record<string, number>>;
  /** From the time at which a call was due to its answer. */
  readonly p50Micros: number;
  readonly p99Micros: number;
  /** From the time at which a call was due to that at which it was sent: the generator's own delay. */
  readonly lagP99Micros: number;
}

/** Less than this a generator on a core of its own needs for a pause of its garbage collector. */
const HARMLESS_LAG_MICROS = 500;
/** The part of what is measured that may be the generator's own. */
const HARMLESS_LAG_SHARE = 0.5;

/**
 * Reads the generator's line.
 *
 * @throws Error when calls failed, when none was made, or when the generator was so late that it measured itself
 */
export function readOpenLoopFigures(line: string): OpenLoopFigures {
  const figures = JSON.parse(line) as OpenLoopFigures;
  const { calls, errors, p99Micros, lagP99Micros } = figures;
  const [error] = Object.entries(errors);
  if (error !== undefined) {
    const failed = Object.values(errors).reduce((sum, count) => sum + count, 0);
    throw new Error(`${failed} of ${calls + failed} calls failed, ${error[1]} by ${error[0]}`);
  }
  if (!(calls > 0)) throw new Error("no call was due while it was measured");
  if (lagP99Micros > HARMLESS_LAG_MICROS && lagP99Micros > HARMLESS_LAG_SHARE * p99Micros) {
    throw new Error(
      `the generator was up to ${Math.round(lagP99Micros)} µs late (p99) where calls take ${Math.round(p99Micros)} µs (p99): the machine is busy`,
    );
  }
  return figures;
}
