/**
 * When calls arrive, in milliseconds from the start, ascending: a Poisson process, as callers that know nothing of each other make it. The
 * gaps are distributed exponentially around the mean, so calls come in bunches and with pauses between them.
 *
 * @param random a number from 0 to below 1
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
