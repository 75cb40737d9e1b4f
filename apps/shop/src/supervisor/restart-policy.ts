/** How a supervisor spaces out the restarts of a service that keeps ending. */
export interface RestartPolicyOptions {
  /** Wait before the first restart; 1,000 ms by default: long enough not to burn a core on a service that cannot start. */
  readonly firstDelayMs?: number;
  /** The wait doubles up to this; 30,000 ms by default, so that a service is back soon after its trouble is over. */
  readonly maxDelayMs?: number;
  /** A service that was up for this long has recovered, and its next wait is the first again; 60,000 ms by default. */
  readonly stableMs?: number;
}

/** Says how long to wait before the next restart. It has no clock and no timer of its own. */
export interface RestartPolicy {
  /** The service is up. */
  listening(nowMs: number): void;
  /** The service has ended, whether it was up or not; returns the wait before the next start, in milliseconds. */
  ended(nowMs: number): number;
}

/** Creates the policy for one service: with the defaults it waits 1, 2, 4, 8, 16, 30, 30, … seconds. */
export function createRestartPolicy(options: RestartPolicyOptions = {}): RestartPolicy {
  const firstDelayMs = options.firstDelayMs ?? 1_000;
  const maxDelayMs = options.maxDelayMs ?? 30_000;
  const stableMs = options.stableMs ?? 60_000;
  let nextDelayMs = firstDelayMs;
  let upSinceMs: number | undefined;
  return {
    listening(nowMs) {
      upSinceMs = nowMs;
    },
    ended(nowMs) {
      if (upSinceMs !== undefined && nowMs - upSinceMs >= stableMs) nextDelayMs = firstDelayMs;
      upSinceMs = undefined;
      const delayMs = nextDelayMs;
      nextDelayMs = Math.min(nextDelayMs * 2, maxDelayMs);
      return delayMs;
    },
  };
}
