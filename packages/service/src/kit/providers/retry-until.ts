import { type Clock, createBackoff, type Log } from "@tercel/grpc";
import { pause, thrownMessage } from "@tercel/grpc/internal";
import { PermanentError } from "../../permanent-error.ts";

export interface RetrySettings {
  /** How long it is tried; then the last failure counts. */
  readonly waitMs: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Aborts when the service is asked to stop. */
  readonly signal: AbortSignal;
  /** From 0 up to 1. Default `Math.random`. */
  readonly random?: () => number;
}

/** An attempt that has begun in time may take this long, so that a wait of 0 is one attempt. */
const leastAttemptMs = 5_000;

/**
 * Tries something until it succeeds, with growing pauses, for at most `waitMs`; a `PermanentError` ends that at once. An attempt that is still under
 * way then is left behind: `onLate` gets what comes of it.
 *
 * Rejects with an error that says what failed, how often it was tried and which setting allows more time.
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
      if (signal.aborted) throw new Error(`${message}; a stop was requested during the start`, { cause: error });
      const delayMs = backoff(attempts - 1);
      if (clock.nowMs() + delayMs >= endMs) {
        const tried = `attempt ${attempts}, given up after ${seconds(waitMs)}; service.start.wait allows more`;
        throw new Error(`${message} (${tried})`, { cause: error });
      }
      log.warn(`${message}, attempt ${attempts}, next in ${seconds(delayMs)}`);
      await pause(clock, delayMs, signal, true);
    }
  }
}

/** `database postgres: migrations` is of `database postgres`; an error that begins with that needs no other beginning. */
function withSubject(what: string, message: string): string {
  const [subject = what] = what.split(":", 1);
  return message.startsWith(subject) ? message : `${what}: ${message}`;
}

class TimeIsUp extends Error {}

/** Rejects when the time is over or a stop is requested; what the work resolves to afterwards goes to `onLate`. */
async function withinTime<Result>(
  working: Promise<Result>,
  leftMs: number,
  onLate: (result: Result) => unknown,
  { clock, signal, log }: RetrySettings,
): Promise<Result> {
  const over = new AbortController();
  const ending = pause(clock, leftMs, AbortSignal.any([signal, over.signal]), true).then(() => {
    throw new TimeIsUp(signal.aborted ? "it was not finished" : "no answer");
  });
  try {
    return await Promise.race([working, ending]);
  } catch (error) {
    if (error instanceof TimeIsUp) {
      working.then(onLate).catch((late) => log.warn("what finished too late failed", { error: late }));
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
