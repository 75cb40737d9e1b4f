/** How the pauses between attempts grow. The defaults are those of gRPC's connection backoff protocol. */
export interface BackoffOptions {
  /** Pause after the first failure. Default 1,000 ms. */
  readonly initialDelayMs?: number;
  /** Growth from one failure to the next. Default 1.6. */
  readonly multiplier?: number;
  /** Share by which a pause is varied at random, both ways. Default 0.2. */
  readonly jitter?: number;
  /** Longest pause, before jitter. Default 120,000 ms. */
  readonly maxDelayMs?: number;
  /** A number from 0 up to 1. Default `Math.random`. */
  readonly random?: () => number;
}

/** The pause in milliseconds after `failures` earlier failures in a row; 0 is the first pause. */
export type Backoff = (earlierFailures: number) => number;

/**
 * Makes a pause that grows exponentially. Jitter applies to the first pause too, unlike in the protocol's pseudocode: the
 * clients of a server that stops all fail at the same moment, and the specification requires that they disperse.
 *
 * @throws RangeError when an option is not a number in its range.
 */
export function createBackoff(options: BackoffOptions = {}): Backoff {
  const initialDelayMs = atLeast(0, "initialDelayMs", options.initialDelayMs ?? 1000);
  const multiplier = atLeast(1, "multiplier", options.multiplier ?? 1.6);
  const maxDelayMs = atLeast(0, "maxDelayMs", options.maxDelayMs ?? 120_000);
  const jitter = atLeast(0, "jitter", options.jitter ?? 0.2);
  if (jitter > 1) throw new RangeError(`backoff jitter has to be at most 1, not ${jitter}`);
  const random = options.random ?? Math.random;
  return (earlierFailures) => {
    // Infinity after very many failures, which the maximum takes in; but 0 times Infinity would be NaN.
    const grown = initialDelayMs === 0 ? 0 : initialDelayMs * multiplier ** earlierFailures;
    return Math.min(grown, maxDelayMs) * (1 + jitter * (2 * random() - 1));
  };
}

function atLeast(least: number, name: string, value: number): number {
  if (!(value >= least)) throw new RangeError(`backoff ${name} has to be a number of at least ${least}, not ${value}`);
  return value;
}
