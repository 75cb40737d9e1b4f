import { AssertionError } from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { Code, ConnectError } from "@connectrpc/connect";
import { readErrorReason, readFieldViolations, readResource, readRetryAfterMs } from "../errors/index.ts";
import { refuseUnknownOptions } from "../options/check-options.ts";

/** What a call is seen by. */
type StatusSource = PromiseLike<unknown> | AsyncIterable<unknown>;

/** What an error must contain next to its code. What is left out is not checked. */
export interface ExpectedError {
  /** As the server wrote it, without the code in front; a pattern has to match somewhere. */
  readonly message?: string | RegExp;
  /** In google.rpc.ErrorInfo. */
  readonly reason?: string;
  /** The fields that are wrong, in google.rpc.BadRequest: all of them, in their order. */
  readonly fields?: readonly string[];
  /** In google.rpc.RetryInfo. */
  readonly retryAfterMs?: number;
  /** The name in google.rpc.ResourceInfo. */
  readonly resource?: string;
}

/**
 * Asserts that a call fails with this status code, and returns its error for further looks: details, metadata. `expected` is what
 * else it has to say; a text or a pattern alone is the message.
 *
 * Give it the promise of a unary or client-streaming call, the responses of a streaming one, which are read to their end, or a function
 * that makes either: a handler may throw before there is a promise.
 *
 * @throws AssertionError that says what came instead
 */
export async function assertStatus(
  call: StatusSource | (() => StatusSource | object),
  code: Code,
  expected: string | RegExp | ExpectedError = {},
): Promise<ConnectError> {
  let received = 0;
  let isStream = false;
  let error: unknown;
  try {
    const made = typeof call === "function" ? call() : call;
    isStream = isAsyncIterable(made);
    if (isAsyncIterable(made)) for await (const _response of made) received++;
    else await made;
  } catch (reason) {
    error = reason;
  }
  if (error === undefined) {
    const what = isStream ? `ended well after ${received} messages` : "succeeded";
    throw failure(`the call ${what} instead of failing with ${Code[code]}`, "OK", Code[code]);
  }
  if (!(error instanceof ConnectError)) {
    throw failure(`the call failed with something else than a ConnectError: ${String(error)}`, error, Code[code]);
  }
  if (error.code !== code) {
    throw failure(`the call failed with ${String(error)} instead of ${Code[code]}`, Code[error.code], Code[code]);
  }
  const given = typeof expected === "string" || expected instanceof RegExp ? { message: expected } : expected;
  checkMessage(error.rawMessage, given.message);
  checkDetails(error, given);
  return error;
}

function checkMessage(message: string, expected: string | RegExp | undefined): void {
  const fits = expected === undefined || (typeof expected === "string" ? message === expected : expected.test(message));
  if (!fits) throw failure(`the call failed with the message ${JSON.stringify(message)}`, message, expected);
}

function checkDetails(error: ConnectError, expected: ExpectedError): void {
  refuseUnknownOptions("assertStatus", expected, ["message", "reason", "fields", "retryAfterMs", "resource"]);
  const found = {
    reason: readErrorReason(error)?.reason,
    fields: readFieldViolations(error).map(({ field }) => field),
    retryAfterMs: readRetryAfterMs(error),
    resource: readResource(error)?.name,
  };
  for (const [name, actual] of Object.entries(found)) {
    const wanted = expected[name as keyof typeof found];
    if (wanted === undefined || isDeepStrictEqual(actual, wanted)) continue;
    throw failure(`the error says ${JSON.stringify(actual)} as its ${name}`, actual, wanted);
  }
}

function isAsyncIterable(made: object): made is AsyncIterable<unknown> {
  return Symbol.asyncIterator in made;
}

function failure(message: string, actual: unknown, expected: unknown): AssertionError {
  return new AssertionError({ message, actual, expected, operator: "assertStatus", stackStartFn: assertStatus });
}
