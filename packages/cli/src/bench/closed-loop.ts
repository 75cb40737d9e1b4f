import type { MakeCall } from "./make-call.ts";
import type { Recorder } from "./recorder.ts";

export interface ClosedLoop {
  readonly concurrency: number;
  readonly warmupMs: number;
  /** Duration including the warm-up. */
  readonly totalMs: number;
  readonly signal: AbortSignal;
}

/** Keeps a fixed number of calls in flight, and resolves when the time is over and all calls have ended. */
export async function runClosedLoop(call: MakeCall, recorder: Recorder, loop: ClosedLoop): Promise<void> {
  const startMs = performance.now();
  const keepCalling = async (): Promise<void> => {
    for (;;) {
      const sentMs = performance.now() - startMs;
      if (sentMs >= loop.totalMs || loop.signal.aborted) return;
      const isMeasured = sentMs >= loop.warmupMs;
      recorder.made++;
      if (isMeasured) recorder.sent(sentMs, sentMs);
      const error = await call();
      // A call that a stop cancelled says nothing about the server.
      if (isMeasured && !loop.signal.aborted) recorder.ended(sentMs, sentMs, performance.now() - startMs, error);
    }
  };
  await Promise.all(Array.from({ length: loop.concurrency }, keepCalling));
}
