import type { DescMethod, DescMethodStreaming, DescMethodUnary, Message, Registry } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import { callFailure } from "./call-failure.ts";

export interface CallInput {
  readonly method: DescMethod;
  readonly registry: Registry;
  readonly headers: Headers;
  readonly timeoutMs: number | undefined;
  readonly signal: AbortSignal;
  /** Messages to send, read under flow control; exactly one for a method that takes one. */
  readonly messages: AsyncIterable<Message>;
}

/** Headers, trailers and timing of a successful call. */
export interface CallSummary {
  readonly headers: Headers;
  readonly trailers: Headers;
  readonly messages: number;
  /** Time from the start, including connecting, to the response headers. */
  readonly headersMs: number;
  readonly totalMs: number;
}

/**
 * Makes a call and passes on its responses one by one; the next is read when the promise for the last one has resolved.
 *
 * @throws CommandFailure that explains why the call failed, or why a message cannot be sent
 */
export async function runCall(
  transport: Transport,
  input: CallInput,
  onMessage: (message: Message) => Promise<void>,
): Promise<CallSummary> {
  const startedAtMs = performance.now();
  const { messages, inputError } = watchErrors(input.messages);
  try {
    const response = await (isUnary(input.method)
      ? startUnary(transport, input.method, input, messages)
      : startStream(transport, input.method, input, messages));
    const headersMs = performance.now() - startedAtMs;
    let count = 0;
    for await (const message of response.message) {
      count++;
      await onMessage(message);
    }
    const totalMs = performance.now() - startedAtMs;
    return { headers: response.header, trailers: response.trailer, messages: count, headersMs, totalMs };
  } catch (error) {
    // An unreadable message cancels the call, whose own error is then only the cancellation.
    throw inputError() ?? callFailure(error, input.registry);
  }
}

interface Response {
  readonly header: Headers;
  /** Complete after the last message. */
  readonly trailer: Headers;
  readonly message: AsyncIterable<Message>;
}

function isUnary(method: DescMethod): method is DescMethodUnary {
  return method.methodKind === "unary";
}

async function startUnary(
  transport: Transport,
  method: DescMethodUnary,
  { signal, timeoutMs, headers }: CallInput,
  messages: AsyncIterable<Message>,
): Promise<Response> {
  for await (const message of messages) {
    const response = await transport.unary(method, signal, timeoutMs, headers, message);
    return { header: response.header, trailer: response.trailer, message: single(response.message) };
  }
  throw new Error("unary call without a message");
}

async function startStream(
  transport: Transport,
  method: DescMethod,
  { signal, timeoutMs, headers }: CallInput,
  messages: AsyncIterable<Message>,
): Promise<Response> {
  return transport.stream(method as DescMethodStreaming, signal, timeoutMs, headers, messages);
}

async function* single<T>(value: T): AsyncIterable<T> {
  yield value;
}

function watchErrors<T>(source: AsyncIterable<T>): { messages: AsyncIterable<T>; inputError: () => unknown } {
  let found: unknown;
  async function* watched(): AsyncIterable<T> {
    try {
      yield* source;
    } catch (error) {
      found = error;
      throw error;
    }
  }
  return { messages: watched(), inputError: () => found };
}
