import { resourceExhausted } from "@tercel/grpc/errors";

export interface HashQueueOptions {
  readonly maxRunning: number;
  readonly maxWaiting: number;
  readonly nowMs: () => number;
}

/** The call that a password is hashed for. */
export interface HashingCall {
  readonly signal: AbortSignal;
  /** What is left of the call's time; undefined for any time. */
  readonly timeoutMs: number | undefined;
}

/** Runs work when it is its turn; see createHashQueue. */
export type HashQueue = <Result>(call: HashingCall, work: () => Promise<Result>) => Promise<Result>;

/** How much the last duration counts in the mean. */
const smoothing = 0.25;

/** A client that repeats sooner finds the same queue. */
const minRetryMs = 1_000;

/**
 * Creates a queue for work that takes a core and cannot be interrupted, first come, first served. A call that cannot end within its time, as
 * far as the mean of the last durations says, is refused at once instead of taking a core for nothing.
 */
export function createHashQueue({ maxRunning, maxWaiting, nowMs }: HashQueueOptions): HashQueue {
  const waiting: (() => void)[] = [];
  let running = 0;
  /** How long one takes; 0 until the first has ended, so that nothing is refused because of a guess. */
  let meanMs = 0;

  function turn({ signal, timeoutMs }: HashingCall): Promise<void> | undefined {
    signal.throwIfAborted();
    // With a core free even a call with little time is tried: that is how the mean falls again after one that took long.
    if (running < maxRunning) {
      running += 1;
      return undefined;
    }
    // All that wait before this one, and this one itself.
    const endsInMs = meanMs * (1 + Math.ceil((waiting.length + 1) / maxRunning));
    if (waiting.length >= maxWaiting || (timeoutMs !== undefined && endsInMs > timeoutMs)) {
      const message = "too many passwords are being hashed";
      throw resourceExhausted({ message, retryAfterMs: Math.max(minRetryMs, Math.ceil(endsInMs)) });
    }
    return new Promise((resolve, reject) => {
      const go = () => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      const leave = () => {
        waiting.splice(waiting.indexOf(go), 1);
        reject(signal.reason);
      };
      signal.addEventListener("abort", leave, { once: true });
      waiting.push(go);
    });
  }

  return async (call, work) => {
    await turn(call);
    const beganMs = nowMs();
    try {
      const result = await work();
      call.signal.throwIfAborted();
      return result;
    } finally {
      const tookMs = nowMs() - beganMs;
      meanMs = meanMs === 0 ? tookMs : meanMs + (tookMs - meanMs) * smoothing;
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
