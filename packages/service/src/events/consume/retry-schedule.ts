/**
 * The pauses before the second to the sixth attempt: soon enough for a lock or a restart, late enough for a repair. What fails six times, over
 * some twelve minutes, needs somebody to look at it.
 */
export const retryDelaysMs: readonly number[] = [1000, 5000, 25_000, 120_000, 600_000];

/** How long to wait after attempt number `attempt` failed, counted from 1; undefined after the last. */
export function retryDelayMs(attempt: number): number | undefined {
  return retryDelaysMs[attempt - 1];
}
