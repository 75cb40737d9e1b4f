import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { callInfo } from "@tercel/grpc";
import { type CallHook, type CallRequest, createHookedInterceptor, type RunStep } from "@tercel/grpc/hooks";
import { okStatus, type Status } from "./status-name.ts";

export type Side = "client" | "server";

/** Observes one call of any kind, on a client or a server. Its methods must not throw. */
export interface CallObserver {
  /** As in a hook: returns a function that runs the call, and each step of a response stream. Default: they run directly. */
  runner?(mayEnter: boolean): RunStep | undefined;
  /** A message from the client to the server. */
  onRequest?(message: unknown): void;
  /** A message from the server to the client. */
  onResponse?(message: unknown): void;
  /** Called once at the end of the call; for a stream, after its last message. `error` is the error of a failed call. */
  onEnd(status: Status, error: unknown): void;
}

/** Other members of a hook: for attempts on Tercel's channels, for calls that arrive at Tercel's servers, and `readsResponses`. */
export type ObservationOptions = Pick<CallHook, "onAttempt" | "onArrival" | "onUnhandled" | "readsResponses">;

/**
 * Creates an interceptor that changes nothing, and calls `begin` to get an observer for each call; undefined leaves the call unobserved.
 * Set `readsResponses: false` for observers that do not read the messages of `onResponse`.
 */
export function observeCalls(
  side: Side,
  begin: (request: CallRequest) => CallObserver | undefined,
  options: ObservationOptions = {},
): Interceptor {
  const succeeded = side === "server" ? statusOfSuccess : () => okStatus;
  return createHookedInterceptor<CallObserver | undefined>({
    begin,
    ...options,
    runner: (_request, observer, mayEnter) => observer?.runner?.(mayEnter),
    onRequest: (_request, observer, message) => observer?.onRequest?.(message),
    onResponse: (_request, observer, message) => observer?.onResponse?.(message),
    onEnd: (request, observer) => observer?.onEnd(succeeded(request), undefined),
    onError(request, observer, error) {
      observer?.onEnd(statusOf(side, request, error), error);
      return error;
    },
    onLeave(request, observer) {
      const reason = reasonOfLeaving(request);
      observer?.onEnd(statusOf(side, request, reason), reason);
    },
  });
}

/** A handler may succeed after its call has ended for the client, usually by the deadline. */
function statusOfSuccess(request: CallRequest): Status {
  return request.contextValues.get(callInfo)?.endedBy?.code ?? okStatus;
}

/** Returns the status that the client gets, or that it got before the handler failed. */
function statusOf(side: Side, request: CallRequest, error: unknown): Status {
  if (side === "client") return error instanceof Error ? ConnectError.from(error).code : Code.Unknown;
  const endedBy = request.contextValues.get(callInfo)?.endedBy;
  if (endedBy !== undefined) return endedBy.code;
  // The server turns other errors of a handler into INTERNAL.
  return error instanceof ConnectError ? error.code : Code.Internal;
}

function reasonOfLeaving(request: CallRequest): ConnectError {
  const endedBy = request.contextValues.get(callInfo)?.endedBy;
  if (endedBy !== undefined) return endedBy;
  return request.signal.aborted
    ? ConnectError.from(request.signal.reason)
    : new ConnectError("the reader left the stream", Code.Canceled);
}
