import type { MakeCall } from "./make-call.ts";
import type { Recorder } from "./recorder.ts";

export interface OpenLoop {
  /** When calls are due, ascending, in milliseconds from the start. */
  readonly due: Iterator<number, void>;
  /** Calls that are due before are not measured. */
  readonly warmupMs: number;
  readonly maxInFlight: number;
  readonly signal: AbortSignal;
}

/** Closer than this to the next call the loop waits awake: Node's timers are a millisecond wide. */
const awakeMs = 2;
/** Calls that are sent in one turn before the responses of others are read. */
const maxPerTurn = 64;

/**
 * Sends each call when it is due, whatever became of the others, and resolves when all have ended. A call that is over the limit of
 * calls in flight is an error and not a wait, because a wait would hide how slow the server is.
 */
export function runOpenLoop(call: MakeCall, recorder: Recorder, loop: OpenLoop): Promise<void> {
  return new Promise((resolve) => {
    const startMs = performance.now();
    let next = loop.due.next();
    let inFlight = 0;

    const settle = (): void => {
      if (next.done === true && inFlight === 0) resolve();
    };

    const send = (dueMs: number): void => {
      const isMeasured = dueMs >= loop.warmupMs;
      recorder.made++;
      if (inFlight >= loop.maxInFlight) {
        if (isMeasured) recorder.failed(overflow);
        return;
      }
      inFlight++;
      const sentMs = performance.now() - startMs;
      if (isMeasured) recorder.sent(dueMs, sentMs);
      void call().then((error) => {
        inFlight--;
        // What a stop has cancelled says nothing about the server.
        if (isMeasured && !loop.signal.aborted) recorder.ended(dueMs, sentMs, performance.now() - startMs, error);
        settle();
      });
    };

    const turn = (): void => {
      for (let sent = 0; sent < maxPerTurn && next.done !== true && !loop.signal.aborted; sent++) {
        if (next.value > performance.now() - startMs) break;
        send(next.value);
        next = loop.due.next();
      }
      if (loop.signal.aborted) next = { done: true, value: undefined };
      if (next.done === true) {
        settle();
        return;
      }
      const waitMs = next.value - (performance.now() - startMs);
      if (waitMs > awakeMs) setTimeout(turn, waitMs - awakeMs);
      else setImmediate(turn);
    };
    turn();
  });
}

/** The error of calls that were not sent, because too many were open. */
export const overflow = "OVERFLOW";
