import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { describeError, type Log } from "../log/json-log.ts";

/**
 * Creates an interceptor that logs what a handler did not foresee, a full disk for example, and answers INTERNAL with a
 * neutral message: what went wrong inside is for the operator to read, not for the caller. Errors that handlers chose
 * pass unchanged.
 */
export function createReportFailures(log: Log): Interceptor {
  const failureOf = (error: unknown, method: string, signal: AbortSignal): unknown => {
    // A handler that stops because its caller has gone, or because the time is up, did not fail.
    if (error instanceof ConnectError || (signal.aborted && error === signal.reason)) return error;
    log.error("call_failed", { method, error: describeError(error) });
    return new ConnectError("internal error", Code.Internal, undefined, undefined, error);
  };

  return (next) => async (request) => {
    const method = `${request.service.typeName}/${request.method.name}`;
    try {
      const response = await next(request);
      if (!response.stream) return response;
      return { ...response, message: guard(response.message, (error) => failureOf(error, method, request.signal)) };
    } catch (error) {
      throw failureOf(error, method, request.signal);
    }
  };
}

/** A stream fails while it is read, long after the handler was called. */
async function* guard<Message>(messages: AsyncIterable<Message>, failureOf: (error: unknown) => unknown) {
  try {
    yield* messages;
  } catch (error) {
    throw failureOf(error);
  }
}
