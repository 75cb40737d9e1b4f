import { Code, ConnectError, type Interceptor, type StreamRequest, type UnaryRequest } from "@connectrpc/connect";
import { maxCallTimeoutMs } from "@tercel/grpc/hooks";
import { type OptionsOf, readOptions, wholeNumber } from "../call/options.ts";
import { overlaidValues } from "../call/overlaid-values.ts";
import { currentBudget } from "./current-deadline.ts";

export const clientDeadlineOptions = {
  /**
   * Subtracts these milliseconds from the time of each outgoing call, so that the handler can still respond when the call times out: with a
   * fallback, or with a better error than DEADLINE_EXCEEDED. Default 0.
   */
  reserveMs: wholeNumber(0).or(0),
};

export type ClientDeadlineOptions = OptionsOf<typeof clientDeadlineOptions>;

/**
 * Creates a client interceptor for the calls that a handler makes (see `createServerDeadline`). They get the remaining time of the handler's
 * own call, minus `reserveMs`, and are cancelled when that call ends. Without remaining time, a call is not started and fails with
 * DEADLINE_EXCEEDED. A shorter timeout of the call itself applies. Calls outside of handlers are not changed.
 *
 * @throws TypeError or RangeError for options that are unknown or out of range
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
    ? "not started: the deadline of the handler's own call has passed"
    : `not started: the handler's own call has ${Math.floor(leftMs ?? 0)} ms left, and ${reserveMs} ms are reserved`;
}

/** A call that has succeeded aborts its signal without a ConnectError. */
function endedError(reason: unknown): ConnectError {
  if (reason instanceof ConnectError) return reason;
  const message =
    "not started: the handler's own call has ended; use withoutDeadline() for work that must continue after it";
  return new ConnectError(message, Code.Canceled, undefined, undefined, reason);
}
