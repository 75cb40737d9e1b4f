import { Code, ConnectError, type Interceptor, type StreamRequest, type UnaryRequest } from "@connectrpc/connect";
import { maxCallTimeoutMs } from "@tercel/grpc/hooks";
import { type OptionsOf, readOptions, wholeNumber } from "../call/options.ts";
import { overlaidValues } from "../call/overlaid-values.ts";
import { currentBudget } from "./current-deadline.ts";

export const clientDeadlineOptions = {
  /**
   * Milliseconds kept back from every call that is made, so that the handler can still respond when that call fails in time: with a
   * substitute, or with an error that says more than DEADLINE_EXCEEDED. Default 0.
   */
  reserveMs: wholeNumber(0).or(0),
};

export type ClientDeadlineOptions = OptionsOf<typeof clientDeadlineOptions>;

/**
 * A client interceptor for calls made while a call is handled (see `createServerDeadline`): they get what is left of its time, minus
 * `reserveMs`, and are cancelled when it ends. A call that has no time left is not started and fails with DEADLINE_EXCEEDED; one whose
 * own timeout is shorter keeps it. Other calls pass as they are.
 *
 * @throws TypeError or RangeError for options that are unknown or out of bounds
 */
export function createClientDeadline(options: ClientDeadlineOptions = {}): Interceptor {
  const { reserveMs } = readOptions("createClientDeadline", clientDeadlineOptions, options);

  return (next) => (request) => {
    const budget = currentBudget();
    if (budget === undefined) return next(request);
    const leftMs = budget.remainingMs();
    const timeoutMs = leftMs === undefined ? undefined : leftMs - reserveMs;
    if (timeoutMs !== undefined && timeoutMs <= 0) {
      return Promise.reject(new ConnectError(nothingLeft(leftMs, reserveMs), Code.DeadlineExceeded));
    }
    const { signal } = budget;
    if (signal.aborted) return Promise.reject(endedError(signal.reason));
    return next(limited(request, signal, timeoutMs));
  };
}

function limited<R extends UnaryRequest | StreamRequest>(
  request: R,
  signal: AbortSignal,
  timeoutMs: number | undefined,
): R {
  const values = request.contextValues;
  return {
    ...request,
    signal: AbortSignal.any([request.signal, signal]),
    contextValues:
      timeoutMs === undefined
        ? values
        : overlaidValues(values, maxCallTimeoutMs, Math.min(timeoutMs, values.get(maxCallTimeoutMs) ?? timeoutMs)),
  };
}

function nothingLeft(leftMs: number | undefined, reserveMs: number): string {
  return leftMs === 0
    ? "not started: the deadline of the call for which it is made has passed"
    : `not started: ${Math.floor(leftMs ?? 0)} ms are left of the call for which it is made, and ${reserveMs} ms are reserved`;
}

/** A call that has ended well aborts its signal without an error of gRPC's. */
function endedError(reason: unknown): ConnectError {
  if (reason instanceof ConnectError) return reason;
  const message =
    "not started: the call for which it is made has ended; use withoutDeadline() for what must continue after it";
  return new ConnectError(message, Code.Canceled, undefined, undefined, reason);
}
