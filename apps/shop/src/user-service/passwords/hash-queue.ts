import { resourceExhausted } from "@tercel/grpc/errors";

export interface HashQueueOptions {
  readonly maxRunning: number;
  readonly maxWaiting: number;
  readonly nowMs: () => number;
}

/** The call that a password is hashed for. */
export interface HashingCall {
  readonly signal: AbortSignal;
  /** The remaining time of the call; undefined without a deadline. */
  readonly timeoutMs: number | undefined;
}

/** Queues work; see createHashQueue. */
export type HashQueue = <Result>(call: HashingCall, work: () => Promise<Result>) => Promise<Result>;

/** The weight of the last duration in the mean. */
const smoothing = 0.25;

/** The minimum retry delay, because the queue hardly changes in less time. */
const minRetryMs = 1_000;

/**
 * Creates a FIFO queue for work that uses a core and cannot be interrupted. If a call cannot finish in its time, according to the mean of
 * the last durations, it is refused at once instead of using a core for nothing.
 */
export function createHashQueue({ maxRunning, maxWaiting, nowMs }: HashQueueOptions): HashQueue {
  const waiting: (() => void)[] = [];
  let running = 0;
  /** The mean duration; 0 until the first work has ended, so that no call is refused by a guess. */
  let meanMs = 0;

  function turn({ signal, timeoutMs }: HashingCall): Promise<void> | undefined {
    signal.throwIfAborted();
    // While a core is free, even a call with little time runs. So the mean decreases again after a long duration.
    if (running < maxRunning) {
      running += 1;
      return undefined;
    }
    // The waiting calls and this one.
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
