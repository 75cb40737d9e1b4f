/**
 * Returns the arrival times of calls, in milliseconds from the start, ascending. They are a Poisson process, like independent callers. The
 * gaps are exponentially distributed, so calls arrive in bursts with pauses.
 *
 * @param random Returns a number from 0 to below 1
 */
export function* poissonArrivals(
  callsPerSecond: number,
  durationMs: number,
  random: () => number,
): Generator<number, void> {
  const meanGapMs = 1000 / callsPerSecond;
  // 1 - random() is never 0, whose logarithm is infinite.
  for (let dueMs = 0; ; ) {
    dueMs -= Math.log(1 - random()) * meanGapMs;
    if (dueMs >= durationMs) return;
    yield dueMs;
  }
}
