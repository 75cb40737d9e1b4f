import type { DescMessage, Message, MessageInitShape } from "@bufbuild/protobuf";
import type {
  HandlerContext,
  Interceptor,
  StreamRequest,
  StreamResponse,
  UnaryRequest,
  UnaryResponse,
} from "@connectrpc/connect";
import { type CallContext, mergedContext } from "../call/handler-context.ts";
import { applyInterceptors } from "../call/interceptors.ts";
import { toMessage } from "../call/message-init.ts";
import { HandledRequest, HandledResponse } from "./intercepted-messages.ts";
import type { RequestPlan } from "./request-plan.ts";

type Init = MessageInitShape<DescMessage>;

/** The call that a handler runs for. */
export interface HandledCall {
  readonly plan: RequestPlan;
  readonly interceptors: readonly Interceptor[];
  readonly context: CallContext;
  /** Its status is decided: nothing that is sent any more arrives. */
  readonly isOver: boolean;
  /** Sends one response message. The promise, if any, is kept when there is room for another. */
  respond(message: Message): Promise<void> | undefined;
  /** The handler has answered all it wanted. */
  succeed(): void;
  /** Ends the call with an error; what is no ConnectError stays here, and the peer learns only that something failed. */
  fail(reason: unknown): void;
  /** The handler has ended, whatever became of the call before. */
  handlerEnded(): void;
}

/**
 * Runs a call's handler, through the interceptors where there are any, and sends what it answers. `input` is the request,
 * or the iterable of requests for methods that take a stream.
 */
export function invoke(call: HandledCall, input: Message | AsyncIterable<Message>): void {
  if (call.interceptors.length > 0) {
    invokeIntercepted(call, input).then(
      () => call.handlerEnded(),
      (error) => failed(call, error),
    );
    return;
  }
  try {
    const output = callHandler(call, input, call.context);
    if (isAsyncIterable(output)) {
      sendAll(call, output).then(
        () => ended(call),
        (error) => failed(call, error),
      );
    } else if (isPromise(output)) {
      output.then(
        (init) => answer(call, init),
        (error) => failed(call, error),
      );
    } else {
      answer(call, output);
    }
  } catch (error) {
    failed(call, error);
  }
}

function callHandler(
  call: HandledCall,
  input: Message | AsyncIterable<Message>,
  context: HandlerContext,
): Init | Promise<Init> | AsyncIterable<Init> {
  // The four kinds differ in their types only; which input a kind takes was decided when the call began.
  const impl = call.plan.handler.spec.impl as (
    input: Message | AsyncIterable<Message>,
    context: HandlerContext,
  ) => Init | Promise<Init> | AsyncIterable<Init>;
  return impl(input, context);
}

/** One message is the whole answer. */
function answer(call: HandledCall, init: Init): void {
  try {
    const sent = call.respond(toMessage(call.plan.handler.output, init));
    if (sent === undefined) {
      ended(call);
      return;
    }
    sent.then(
      () => ended(call),
      (error) => failed(call, error),
    );
  } catch (error) {
    failed(call, error);
  }
}

/** Sends messages as they come, no faster than they leave. Leaving the loop tells the handler that nobody listens. */
async function sendAll(call: HandledCall, outputs: AsyncIterable<Init>): Promise<void> {
  const { output } = call.plan.handler;
  for await (const init of outputs) {
    if (call.isOver) return;
    const sent = call.respond(toMessage(output, init));
    if (sent !== undefined) await sent;
    if (call.isOver) return;
  }
}

function ended(call: HandledCall): void {
  call.succeed();
  call.handlerEnded();
}

function failed(call: HandledCall, error: unknown): void {
  call.fail(error);
  call.handlerEnded();
}

/**
 * With interceptors the call takes Connect's shapes: a request object in, a response object out. Both make headers and signal when
 * asked, and as long as the interceptors pass on the objects they were given, nothing is asked: these cost more than a small call.
 */
async function invokeIntercepted(call: HandledCall, input: Message | AsyncIterable<Message>): Promise<void> {
  const { context } = call;
  const { spec, output } = call.plan.handler;
  const isUnary = spec.kind === "unary";
  const request = makeRequest(call, isUnary || isAsyncIterable(input) ? input : oneOf(input));
  context.handedRequest = request;
  let made: UnaryResponse | StreamResponse | undefined;
  const next = applyInterceptors(async (handed) => {
    const isForeign = handed !== request;
    if (isForeign) context.givenValues = handed.contextValues;
    const seen = isForeign ? mergedContext(context, handed) : context;
    const message = handed.stream && !call.plan.handler.requestIsStream ? await single(handed.message) : handed.message;
    const result = callHandler(call, message, seen);
    if (isUnary) made = makeResponse(call, toMessage(output, isPromise(result) ? await result : (result as Init)));
    else if (isAsyncIterable(result)) made = makeResponse(call, normalized(call, result));
    else made = makeResponse(call, oneOf(toMessage(output, await result)));
    return made;
  }, call.interceptors);

  const response = await next(request);
  const isForeign = response !== made;
  if (isForeign) copyHeaders(response.header, context.responseHeader);
  if (response.stream) {
    await sendAll(call, response.message);
  } else {
    const sent = call.respond(toMessage(output, response.message));
    if (sent !== undefined) await sent;
  }
  if (isForeign) copyHeaders(response.trailer, context.responseTrailer);
  call.succeed();
}

function makeRequest(call: HandledCall, message: Message | AsyncIterable<Message>): UnaryRequest | StreamRequest {
  return new HandledRequest(call.plan.handler, call.context, message) as UnaryRequest | StreamRequest;
}

function makeResponse(call: HandledCall, message: Message | AsyncIterable<Message>): UnaryResponse | StreamResponse {
  return new HandledResponse(call.plan.handler, call.context, message) as UnaryResponse | StreamResponse;
}

async function* normalized(call: HandledCall, outputs: AsyncIterable<Init>): AsyncIterable<Message> {
  for await (const init of outputs) yield toMessage(call.plan.handler.output, init);
}

async function* oneOf(message: Message): AsyncIterable<Message> {
  yield message;
}

/** The one request of a server-streaming method, which interceptors see as a stream. */
async function single(messages: AsyncIterable<Message>): Promise<Message> {
  let found: Message | undefined;
  for await (const message of messages) found = message;
  if (found === undefined) throw new TypeError("an interceptor took the request away");
  return found;
}

/** An interceptor may answer with headers of its own. */
function copyHeaders(from: Headers, to: Headers): void {
  if (from === to) return;
  from.forEach((value, name) => {
    to.set(name, value);
  });
}

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return value instanceof Promise || typeof (value as { then?: unknown }).then === "function";
}

function isAsyncIterable<T>(value: unknown): value is AsyncIterable<T> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}
