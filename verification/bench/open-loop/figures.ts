/** The report of the open loop. */
export interface OpenLoopFigures {
  /** The number of calls with the right response, of those that were due after the warm-up. */
  readonly calls: number;
  /** The problems of the other calls, with their counts. */
  readonly errors: Readonly<Record<string, number>>;
  /** From the time at which a call was due to its response. */
  readonly p50Micros: number;
  readonly p99Micros: number;
  /** From the time at which a call was due to the time at which it was sent: the generator's own delay. */
  readonly lagP99Micros: number;
}

/** An acceptable delay: a pause of the garbage collector of a generator with its own core. */
const HARMLESS_LAG_MICROS = 500;
/** The maximum share of the generator's own delay. */
const HARMLESS_LAG_SHARE = 0.5;

/**
 * Reads the generator's line.
 *
 * @throws Error if calls failed, if none was made, or if the generator was so late that it measured itself
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
