import type { MakeCall } from "./make-call.ts";
import type { Recorder } from "./recorder.ts";

export interface OpenLoop {
  /** When calls are due, ascending, in milliseconds from the start. */
  readonly due: Iterator<number, void>;
  /** Calls that are due earlier are not measured. */
  readonly warmupMs: number;
  readonly maxInFlight: number;
  readonly signal: AbortSignal;
}

/** Closer than this to the next call the loop spins: Node's timers have a resolution of a millisecond. */
const awakeMs = 2;
/** Calls sent in one turn of the event loop before responses are read. */
const maxPerTurn = 64;

/**
 * Sends each call when it is due, independently of the others, and resolves when all have ended. A call above the limit of calls in
 * flight counts as an error instead of waiting, because a wait would hide how slow the server is.
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
        if (isMeasured)
          recorder.failed({ status: overflow, message: `${loop.maxInFlight} calls are already in flight` });
        return;
      }
      inFlight++;
      const sentMs = performance.now() - startMs;
      if (isMeasured) recorder.sent(dueMs, sentMs);
      void call().then((error) => {
        inFlight--;
        // A call that a stop cancelled says nothing about the server.
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

/** The error of calls that were not sent because too many were in flight. */
export const overflow = "OVERFLOW";
