import {
  Code,
  ConnectError,
  type Interceptor,
  type StreamRequest,
  type StreamResponse,
  type UnaryRequest,
  type UnaryResponse,
} from "@connectrpc/connect";
import { callInfo } from "@tercel/grpc";
import { okStatus, type Status } from "./status-name.ts";
import { type RunStep, watchMessages } from "./watch-messages.ts";
import { requestWithMessages, responseWithMessages } from "./with-messages.ts";

export type Side = "client" | "server";

/** What is told about one call, of any kind and on either side. None of it may throw. */
export interface CallObserver {
  /** Runs the call, and each step of a response stream, for instance inside an async context. Default: just runs it. */
  run?: RunStep;
  /** A message from the client to the server. */
  onRequest?(message: unknown): void;
  /** A message from the server to the client. */
  onResponse?(message: unknown): void;
  /** Once, at the very end: of a stream that is when its last message has passed. `error` is what the call failed with. */
  onEnd(status: Status, error: unknown): void;
}

type Next = ReturnType<Interceptor>;
type Request = UnaryRequest | StreamRequest;
type Response = UnaryResponse | StreamResponse;

/** An interceptor that changes nothing, and asks for an observer of each call; undefined leaves the call unobserved. */
export function observeCalls(side: Side, begin: (request: Request) => CallObserver | undefined): Interceptor {
  return (next) => (request) => {
    const observer = begin(request);
    if (observer === undefined) return next(request);
    return request.stream ? observeStream(side, request, observer, next) : observeUnary(side, request, observer, next);
  };
}

function observeUnary(side: Side, request: UnaryRequest, observer: CallObserver, next: Next): Promise<Response> {
  observer.onRequest?.(request.message);
  return responding(request, observer, next).then(
    (response) => {
      observer.onResponse?.(response.message);
      observer.onEnd(side === "server" ? statusOfSuccess(request) : okStatus, undefined);
      return response;
    },
    (error) => {
      observer.onEnd(statusOf(side, request, error), error);
      throw error;
    },
  );
}

function observeStream(side: Side, request: StreamRequest, observer: CallObserver, next: Next): Promise<Response> {
  const end = (error: unknown): unknown => {
    observer.onEnd(statusOf(side, request, error), error);
    return error;
  };
  const handed =
    observer.onRequest === undefined
      ? request
      : requestWithMessages(
          request,
          watchMessages(request.message, { onMessage: (message) => observer.onRequest?.(message) }),
        );
  return responding(handed, observer, next).then(
    (response) => {
      const { message } = response as StreamResponse;
      const watched = watchMessages(
        message,
        {
          onMessage: (given) => observer.onResponse?.(given),
          onEnd: () => observer.onEnd(side === "server" ? statusOfSuccess(request) : okStatus, undefined),
          onError: end,
          onLeave: () => end(reasonOfLeaving(request)),
        },
        observer.run,
      );
      return responseWithMessages(response as StreamResponse, watched);
    },
    (error) => {
      throw end(error);
    },
  );
}

function responding(request: Request, observer: CallObserver, next: Next): Promise<Response> {
  try {
    return observer.run === undefined ? next(request) : observer.run(() => next(request));
  } catch (error) {
    return Promise.reject(error);
  }
}

/** A handler may succeed after its call has ended for the client, most of all by the deadline. */
function statusOfSuccess(request: Request): Status {
  return request.contextValues.get(callInfo)?.endedBy?.code ?? okStatus;
}

/** The status that the client is told, or was told before the handler failed. */
function statusOf(side: Side, request: Request, error: unknown): Status {
  if (side === "client") return ConnectError.from(error).code;
  const endedBy = request.contextValues.get(callInfo)?.endedBy;
  if (endedBy !== undefined) return endedBy.code;
  // What a handler throws by accident is answered with INTERNAL.
  return error instanceof ConnectError ? error.code : Code.Internal;
}

function reasonOfLeaving(request: Request): ConnectError {
  const endedBy = request.contextValues.get(callInfo)?.endedBy;
  if (endedBy !== undefined) return endedBy;
  return request.signal.aborted
    ? ConnectError.from(request.signal.reason)
    : new ConnectError("the reader left the stream", Code.Canceled);
}
