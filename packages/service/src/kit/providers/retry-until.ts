import { type Clock, createBackoff, type Log } from "@tercel/grpc";
import { pause, thrownMessage } from "@tercel/grpc/internal";
import { PermanentError } from "../../permanent-error.ts";

export interface RetrySettings {
  /** Time limit of the attempts, in milliseconds. */
  readonly waitMs: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Aborted when a stop is requested. */
  readonly signal: AbortSignal;
  /** Random numbers from 0 to 1 (exclusive). Default `Math.random`. */
  readonly random?: () => number;
}

/** Minimum time of an attempt, so that a wait of 0 allows one. */
const leastAttemptMs = 5_000;

/**
 * Retries an operation with backoff until it succeeds, for at most `waitMs`; a `PermanentError` ends it at once. An attempt that is still running then is
 * abandoned: `onLate` receives its result.
 *
 * Rejects with an error that has the last failure, the number of attempts and the setting for more time.
 */
export async function retryUntil<Result>(
  what: string,
  attempt: () => Promise<Result>,
  onLate: (result: Result) => unknown,
  settings: RetrySettings,
): Promise<Result> {
  const { waitMs, clock, log, signal, random } = settings;
  const backoff = createBackoff({ initialDelayMs: 250, maxDelayMs: 5_000, ...(random && { random }) });
  const endMs = clock.nowMs() + waitMs;
  for (let attempts = 1; ; attempts++) {
    try {
      return await withinTime(attempt(), Math.max(leastAttemptMs, endMs - clock.nowMs()), onLate, settings);
    } catch (error) {
      const message = withSubject(what, thrownMessage(error));
      if (error instanceof PermanentError) throw new Error(message, { cause: error });
      if (signal.aborted) throw new Error(`${message}; stopped during the start`, { cause: error });
      const delayMs = backoff(attempts - 1);
      if (clock.nowMs() + delayMs >= endMs) {
        const tried = `attempt ${attempts}, gave up after ${seconds(waitMs)}; raise service.start.wait to wait longer`;
        throw new Error(`${message} (${tried})`, { cause: error });
      }
      log.warn(`${message}, attempt ${attempts}, next in ${seconds(delayMs)}`);
      await pause(clock, delayMs, signal, true);
    }
  }
}

/** Prefixes a message with its subject, unless it begins with it: the subject of `database postgres: migrations` is `database postgres`. */
function withSubject(what: string, message: string): string {
  const [subject = what] = what.split(":", 1);
  return message.startsWith(subject) ? message : `${what}: ${message}`;
}

class TimeIsUp extends Error {}

/** Rejects on a timeout or a stop; a later result goes to `onLate`. */
async function withinTime<Result>(
  working: Promise<Result>,
  leftMs: number,
  onLate: (result: Result) => unknown,
  { clock, signal, log }: RetrySettings,
): Promise<Result> {
  const over = new AbortController();
  const ending = pause(clock, leftMs, AbortSignal.any([signal, over.signal]), true).then(() => {
    throw new TimeIsUp(signal.aborted ? "interrupted" : "timeout");
  });
  try {
    return await Promise.race([working, ending]);
  } catch (error) {
    if (error instanceof TimeIsUp) {
      working.then(onLate).catch((late) => log.warn("abandoned attempt failed", { error: late }));
    }
    throw error;
  } finally {
    over.abort();
    ending.catch(() => {});
  }
}

function seconds(ms: number): string {
  return `${Number((ms / 1000).toFixed(1))} s`;
}
