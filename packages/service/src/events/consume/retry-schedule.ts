/**
 * The delays before the second to the sixth attempt, over some twelve minutes: short enough for a lock or a restart, long enough for a repair. After six
 * failures, a person must look at the event.
 */
export const retryDelaysMs: readonly number[] = [1000, 5000, 25_000, 120_000, 600_000];

/** Returns the delay after a failed attempt, counted from 1; undefined after the last. */
export function retryDelayMs(attempt: number): number | undefined {
  return retryDelaysMs[attempt - 1];
}
