/** A mean ratio and the interval that contains the true one with 95 % confidence. */
export interface RatioInterval {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/** The quantile of the normal distribution that leaves 2.5 % above it. */
const z = 1.959964;

/**
 * Returns the geometric mean of the ratios and its 95 % interval, by Student's t of their logarithms, so a ratio and its inverse
 * have the same weight. Throws a RangeError for fewer than two ratios, which have no spread.
 */
export function ratioInterval(ratios: readonly number[]): RatioInterval {
  if (ratios.length < 2) throw new RangeError("an interval needs at least two ratios");
  const logs = ratios.map(Math.log);
  const mean = logs.reduce((sum, value) => sum + value, 0) / logs.length;
  const variance = logs.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (logs.length - 1);
  const half = studentQuantile(logs.length - 1) * Math.sqrt(variance / logs.length);
  return { mean: Math.exp(mean), low: Math.exp(mean - half), high: Math.exp(mean + half) };
}

/** The 97.5 % quantile of Student's t, by its expansion around the normal quantile (Abramowitz and Stegun 26.7.5). The error is below 1 % from 4 degrees of freedom. */
function studentQuantile(degrees: number): number {
  const first = (z ** 3 + z) / 4;
  const second = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96;
  const third = (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384;
  return z + first / degrees + second / degrees ** 2 + third / degrees ** 3;
}
