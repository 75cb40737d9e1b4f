import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { callInfo } from "@tercel/grpc";
import { type CallHook, type CallRequest, createHookedInterceptor, type RunStep } from "@tercel/grpc/hooks";
import { okStatus, type Status } from "./status-name.ts";

export type Side = "client" | "server";

/** Observes one call, of any kind and on either side. Its methods must not throw. */
export interface CallObserver {
  /** As a hook's: what runs the call, and each step of a response stream. Default: it is just run. */
  runner?(mayEnter: boolean): RunStep | undefined;
  /** A message from the client to the server. */
  onRequest?(message: unknown): void;
  /** A message from the server to the client. */
  onResponse?(message: unknown): void;
  /** Once, at the very end: of a stream that is when its last message has passed. `error` is what the call failed with. */
  onEnd(status: Status, error: unknown): void;
}

/** What a hook may say besides its steps, by the same names: attempts of calls on our channels, calls as they arrive at our servers, `readsResponses`. */
export type ObservationOptions = Pick<CallHook, "onAttempt" | "onArrival" | "onUnhandled" | "readsResponses">;

/**
 * Returns an interceptor that changes nothing, and calls `begin` for an observer of each call; undefined leaves the call unobserved.
 * `readsResponses: false` is for observers that do not look at the messages of `onResponse`.
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

/** A handler may succeed after its call has ended for the client, most of all by the deadline. */
function statusOfSuccess(request: CallRequest): Status {
  return request.contextValues.get(callInfo)?.endedBy?.code ?? okStatus;
}

/** The status that the client gets, or got before the handler failed. */
function statusOf(side: Side, request: CallRequest, error: unknown): Status {
  if (side === "client") return error instanceof Error ? ConnectError.from(error).code : Code.Unknown;
  const endedBy = request.contextValues.get(callInfo)?.endedBy;
  if (endedBy !== undefined) return endedBy.code;
  // What a handler throws by accident becomes INTERNAL.
  return error instanceof ConnectError ? error.code : Code.Internal;
}

function reasonOfLeaving(request: CallRequest): ConnectError {
  const endedBy = request.contextValues.get(callInfo)?.endedBy;
  if (endedBy !== undefined) return endedBy;
  return request.signal.aborted
    ? ConnectError.from(request.signal.reason)
    : new ConnectError("the reader left the stream", Code.Canceled);
}
