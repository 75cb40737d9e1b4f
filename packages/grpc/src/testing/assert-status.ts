import { AssertionError } from "node:assert/strict";
import { Code, ConnectError } from "@connectrpc/connect";

/**
 * Asserts that a call fails with this status code, and returns its error for further looks: details, metadata. `message` is
 * compared with the error's message as the server wrote it, without the code in front; a pattern has to match somewhere.
 *
 * Give it the promise of a unary or client-streaming call, or the responses of a streaming one, which are read to their end.
 *
 * @throws AssertionError that says what came instead
 */
export async function assertStatus(
  call: PromiseLike<unknown> | AsyncIterable<unknown>,
  code: Code,
  message?: string | RegExp,
): Promise<ConnectError> {
  let received = 0;
  let error: unknown;
  try {
    if (Symbol.asyncIterator in call) for await (const _response of call) received++;
    else await call;
  } catch (reason) {
    error = reason;
  }
  if (error === undefined) {
    const what = Symbol.asyncIterator in call ? `ended well after ${received} messages` : "succeeded";
    throw failure(`the call ${what} instead of failing with ${Code[code]}`, "OK", Code[code]);
  }
  if (!(error instanceof ConnectError)) {
    throw failure(`the call failed with something else than a ConnectError: ${String(error)}`, error, Code[code]);
  }
  if (error.code !== code) {
    throw failure(`the call failed with ${String(error)} instead of ${Code[code]}`, Code[error.code], Code[code]);
  }
  const { rawMessage } = error;
  const fits =
    message === undefined || (typeof message === "string" ? rawMessage === message : message.test(rawMessage));
  if (!fits) throw failure(`the call failed with the message ${JSON.stringify(rawMessage)}`, rawMessage, message);
  return error;
}

function failure(message: string, actual: unknown, expected: unknown): AssertionError {
  return new AssertionError({ message, actual, expected, operator: "assertStatus", stackStartFn: assertStatus });
}
