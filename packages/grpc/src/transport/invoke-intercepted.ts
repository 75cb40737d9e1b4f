import type { Message } from "@bufbuild/protobuf";
import type { StreamRequest, StreamResponse, UnaryRequest, UnaryResponse } from "@connectrpc/connect";
import { mergedContext } from "../call/handler-context.ts";
import { applyInterceptors } from "../call/interceptors.ts";
import { toMessage } from "../call/message-init.ts";
import {
  callHandler,
  type HandledCall,
  type Init,
  isAsyncIterable,
  isPromise,
  oneOf,
  sendAll,
} from "./handled-call.ts";
import { HandledRequest, HandledResponse } from "./intercepted-messages.ts";

/**
 * With interceptors the call takes Connect's shapes: a request object in, a response object out. Both make headers and signal when
 * asked, and as long as the interceptors pass on the objects they were given, nothing is asked: these cost more than a small call.
 */
export async function invokeIntercepted(call: HandledCall, input: Message | AsyncIterable<Message>): Promise<void> {
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
    context.handedResponse = made;
    return made;
  }, call.plan.handler.interceptors);

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
