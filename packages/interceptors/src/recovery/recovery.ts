import { randomUUID } from "node:crypto";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { type CallRequest, createHookedInterceptor } from "@tercel/grpc/hooks";
import { safeLog, thrownText } from "@tercel/grpc/internal";
import { methodPath } from "../call/method-path.ts";
import { callback, logOption, type OptionsOf, readOptions } from "../call/options.ts";

/** What a handler has thrown without meaning a status by it. */
export interface HandlerFault {
  /** In the client's message and in the log line, so that the one leads to the other. A random UUID. */
  readonly id: string;
  /** What was thrown: mostly an Error, but JavaScript throws anything. */
  readonly error: unknown;
  readonly service: string;
  readonly method: string;
}

export const recoveryOptions = {
  /** Gets one error line per fault. Default: JSON lines on standard error, as the server's own. */
  log: logOption(),
  /** Called with each fault, to count it or to report it elsewhere. What it throws is logged and goes no further. */
  onFault: callback<(fault: HandlerFault) => void>(),
};

export type RecoveryOptions = OptionsOf<typeof recoveryOptions>;

/**
 * A server interceptor that turns what a handler throws by accident (a TypeError, a rejected promise, a string, also in the middle of a
 * stream) into INTERNAL with an id; text and stack stay in the log. A `ConnectError` passes unchanged: the handler meant it.
 *
 * Put it first, or right after what counts and logs calls.
 *
 * @throws TypeError for an unknown option
 */
export function createRecovery(options: RecoveryOptions = {}): Interceptor {
  const settings = readOptions("createRecovery", recoveryOptions, options);
  const { onFault } = settings;
  const log = safeLog(settings.log);

  function recovered(error: unknown, request: CallRequest): unknown {
    if (error instanceof ConnectError) return error;
    // A handler that hands its signal to fetch or a timer throws what these throw when the call is cancelled.
    if (isAbort(error) && request.signal.aborted) return request.signal.reason;
    const fault: HandlerFault = {
      id: randomUUID(),
      error,
      service: request.service.typeName,
      method: request.method.name,
    };
    const failure = new ConnectError(`internal error, id ${fault.id}`, Code.Internal, undefined, undefined, error);
    const method = methodPath(request);
    log.error("a handler failed", { id: fault.id, method, error: thrownText(error) });
    try {
      onFault?.(fault);
    } catch (reason) {
      // Reporting must not become a failure of its own.
      log.error("onFault failed", { id: fault.id, method, error: thrownText(reason) });
    }
    return failure;
  }

  return createHookedInterceptor({ onError: (request, _state, error) => recovered(error, request) });
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}
