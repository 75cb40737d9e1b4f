import { Code, ConnectError } from "@connectrpc/connect";
import type { Clock } from "@tercel/grpc";
import { pause } from "@tercel/grpc/internal";
import type { Backoff } from "@tercel/grpc/naming";
import type { WatchSink } from "./watched-service.ts";

/**
 * Follows a service with one request, stream or round of polling. Calls `onProgress` whenever the registry has responded.
 * Resolves when the request has ended regularly and the next one can start; rejects when it failed.
 */
export type FollowOnce = (signal: AbortSignal, onProgress: () => void) => Promise<void>;

export interface FollowOptions {
  readonly clock: Clock;
  readonly backoff: Backoff;
  /** The start of error messages, for example `consul at http://127.0.0.1:8500`. */
  readonly description: string;
}

/**
 * Repeats `followOnce` until the returned function is called. After failures, the delay grows. After a regular end, the next request starts
 * at the earliest one initial delay after the start of the previous one, so that a registry that ends each request at once is not flooded.
 */
export function follow(followOnce: FollowOnce, sink: WatchSink, options: FollowOptions): () => void {
  const closing = new AbortController();
  void repeat(followOnce, sink, options, closing.signal);
  return () => closing.abort();
}

async function repeat(run: FollowOnce, sink: WatchSink, options: FollowOptions, closing: AbortSignal): Promise<void> {
  const { clock, backoff } = options;
  let failures = 0;
  while (!closing.aborted) {
    const startedMs = clock.nowMs();
    // Each request has its own signal, which is aborted at its end, so that no part of a request outlives it.
    const request = new AbortController();
    const abort = (): void => request.abort();
    closing.addEventListener("abort", abort);
    let delayMs: number;
    try {
      await run(request.signal, () => {
        failures = 0;
      });
      delayMs = backoff(0) - (clock.nowMs() - startedMs);
    } catch (error) {
      if (closing.aborted) return;
      delayMs = backoff(failures);
      failures += 1;
      sink.fail(explain(error, options.description, failures, delayMs), delayMs);
    } finally {
      closing.removeEventListener("abort", abort);
      request.abort();
    }
    if (delayMs > 0) await pause(clock, delayMs, closing);
  }
}

function explain(error: unknown, description: string, attempt: number, delayMs: number): ConnectError {
  const cause = ConnectError.from(error, Code.Unavailable);
  const next = `attempt ${attempt}, next in ${(delayMs / 1000).toFixed(1)} s`;
  const message = `${description} does not respond: ${cause.rawMessage} (${next})`;
  return new ConnectError(
    message,
    cause.code === Code.Unknown ? Code.Unavailable : cause.code,
    undefined,
    undefined,
    error,
  );
}
