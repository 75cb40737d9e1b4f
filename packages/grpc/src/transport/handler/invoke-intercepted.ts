import type { Message } from "@bufbuild/protobuf";
import type { StreamRequest, StreamResponse, UnaryRequest, UnaryResponse } from "@connectrpc/connect";
import { type CallContext, mergedContext } from "../../call/context/handler-context.ts";
import { applyInterceptors } from "../../call/interceptors.ts";
import { type HandledCall, isAsyncIterable, isPromise, oneOf, respond, sendAll } from "./handled-call.ts";
import { HandledRequest, HandledResponse } from "./intercepted-messages.ts";
import { callHandler, type Init, type TypedHandler } from "./typed-handler.ts";

/**
 * With interceptors the call takes Connect's shapes: a request object in, a response object out. Both make headers and signal when
 * read, and as long as the interceptors pass on the objects they were given, nothing is read: these cost more than a small call.
 */
export async function invokeIntercepted(
  handler: TypedHandler,
  call: HandledCall,
  context: CallContext,
  input: Message | AsyncIterable<Message>,
): Promise<void> {
  const { spec } = handler;
  const { responseCodec } = call;
  const isUnary = spec.kind === "unary";
  const takesOne = isUnary || spec.kind === "server_streaming";
  const toMessage = (init: Init): Message => responseCodec.toMessage(init) as Message;
  const makeResponse = (message: Message | AsyncIterable<Message>): UnaryResponse | StreamResponse =>
    new HandledResponse(spec, context, message) as UnaryResponse | StreamResponse;

  const seenInput = isUnary || isAsyncIterable(input) ? input : oneOf(input);
  const request = new HandledRequest(spec, context, seenInput) as UnaryRequest | StreamRequest;
  context.handedRequest = request;
  let made: UnaryResponse | StreamResponse | undefined;
  const next = applyInterceptors(async (handed) => {
    const isForeign = handed !== request;
    if (isForeign) context.givenValues = handed.contextValues;
    const seen = isForeign ? mergedContext(context, handed) : context;
    const message = handed.stream && takesOne ? await single(handed.message) : handed.message;
    const result = callHandler(handler, message, seen);
    if (isUnary) made = makeResponse(toMessage(isPromise(result) ? await result : (result as Init)));
    else if (isAsyncIterable<Init>(result)) made = makeResponse(converted(result, toMessage));
    else made = makeResponse(oneOf(toMessage(await result)));
    context.handedResponse = made;
    return made;
  }, handler.interceptors);

  const response = await next(request);
  const isForeign = response !== made;
  if (isForeign) copyHeaders(response.header, context.responseHeader);
  if (response.stream) {
    await sendAll(call, response.message);
  } else {
    const sent = respond(call, toMessage(response.message));
    if (sent !== undefined) await sent;
  }
  if (isForeign) copyHeaders(response.trailer, context.responseTrailer);
  call.succeed();
}

async function* converted(outputs: AsyncIterable<Init>, toMessage: (init: Init) => Message): AsyncIterable<Message> {
  for await (const init of outputs) yield toMessage(init);
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
