import { randomUUID } from "node:crypto";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { type CallRequest, createHookedInterceptor } from "@tercel/grpc/hooks";
import { safeLog, thrownText } from "@tercel/grpc/internal";
import { methodPath } from "../call/method-path.ts";
import { callback, logOption, type OptionsOf, readOptions } from "../call/options.ts";

/** An error of a handler that is not a ConnectError. */
export interface HandlerFault {
  /** A random UUID, which is in the client's error and in the log line, to find one from the other. */
  readonly id: string;
  /** The thrown value: usually an Error, but JavaScript can throw anything. */
  readonly error: unknown;
  readonly service: string;
  readonly method: string;
}

export const recoveryOptions = {
  /** Receives one error line for each fault. Default: JSON lines on standard error, as for the server. */
  log: logOption(),
  /** Called for each fault, to count it or to report it elsewhere. Errors that it throws are logged and ignored. */
  onFault: callback<(fault: HandlerFault) => void>(),
};

export type RecoveryOptions = OptionsOf<typeof recoveryOptions>;

/**
 * Creates a server interceptor that turns unexpected errors of a handler (a TypeError, a rejected promise, a string, also in the middle of a
 * stream) into INTERNAL with an id. The text and the stack are only logged. A `ConnectError` passes unchanged.
 *
 * Make it the outermost interceptor, or put it directly inside those that count and log calls.
 *
 * @throws TypeError for an unknown option
 */
export function createRecovery(options: RecoveryOptions = {}): Interceptor {
  const settings = readOptions("createRecovery", recoveryOptions, options);
  const { onFault } = settings;
  const log = safeLog(settings.log);

  function recovered(error: unknown, request: CallRequest): unknown {
    if (error instanceof ConnectError) return error;
    // A handler that passes its signal to fetch or a timer throws their AbortError when the call is cancelled.
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
      // A failure to report must not change the call's error.
      log.error("onFault failed", { id: fault.id, method, error: thrownText(reason) });
    }
    return failure;
  }

  return createHookedInterceptor({ onError: (request, _state, error) => recovered(error, request) });
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}
