import { randomUUID } from "node:crypto";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import type { Log } from "@tercel/grpc";
import { type CallRequest, createHookedInterceptor } from "@tercel/grpc/hooks";
import { refuseUnknownOptions, safeLog, thrownText } from "@tercel/grpc/internal";
import { methodPath } from "../call/method-path.ts";

/** What a handler has thrown without meaning a status by it. */
export interface Panic {
  /** In the client's message and in the log line, so that the one leads to the other. A random UUID. */
  readonly id: string;
  /** What was thrown: mostly an Error, but JavaScript throws anything. */
  readonly error: unknown;
  readonly service: string;
  readonly method: string;
}

export interface RecoveryOptions {
  /** Gets one error line per panic. Default: JSON lines on standard error, as the server's own. */
  log?: Log;
  /** Called with each panic, to count it or to report it elsewhere. What it throws is logged and goes no further. */
  onPanic?: (panic: Panic) => void;
}

/**
 * A server interceptor that answers what a handler throws by accident (a TypeError, a rejected promise, a string, in the middle of
 * a stream as well) with INTERNAL and an id; text and stack stay in the log. A `ConnectError` passes as it is: the handler meant it.
 *
 * Put it first, or right behind what counts and logs calls.
 *
 * @throws TypeError for an unknown option
 */
export function createRecovery(options: RecoveryOptions = {}): Interceptor {
  refuseUnknownOptions("createRecovery", options, ["log", "onPanic"]);
  const { onPanic } = options;
  const log = safeLog(options.log);

  function recovered(error: unknown, request: CallRequest): unknown {
    if (error instanceof ConnectError) return error;
    // A handler that hands its signal to fetch or a timer throws what these throw when the call is cancelled.
    if (isAbort(error) && request.signal.aborted) return request.signal.reason;
    const panic: Panic = {
      id: randomUUID(),
      error,
      service: request.service.typeName,
      method: request.method.name,
    };
    const failure = new ConnectError(`internal error, id ${panic.id}`, Code.Internal, undefined, undefined, error);
    const method = methodPath(request);
    log.error("a handler failed", { id: panic.id, method, error: thrownText(error) });
    try {
      onPanic?.(panic);
    } catch (reason) {
      // Reporting must not become a failure of its own.
      log.error("onPanic failed", { id: panic.id, method, error: thrownText(reason) });
    }
    return failure;
  }

  return createHookedInterceptor({ onError: (request, _state, error) => recovered(error, request) });
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}
