import type { DescMethod, DescMethodStreaming, DescMethodUnary, DescService, Message } from "@bufbuild/protobuf";
import type {
  ConnectRouter,
  HandlerContext,
  MethodImpl,
  StreamResponse,
  Transport,
  UnaryResponse,
} from "@connectrpc/connect";
import type { Log } from "@tercel/grpc";
import { refuseUnknownOptions, safeLog } from "@tercel/grpc/internal";
import { ForwardErrors } from "./forward-errors.ts";
import { checkForwardHeaders, copyHeader, copyTrailer, forwardedHeaders } from "./forwarded-headers.ts";
import { TurnEnd } from "./turn-end.ts";

export interface ForwardOptions {
  /**
   * Request headers to forward in addition to `authorization`, `traceparent`, `tracestate`, `x-request-id`, `idempotency-key` and
   * `accept-language`. Other headers are not forwarded: services behind a gateway often trust headers such as `x-user-id`, which any client can
   * send.
   */
  readonly forwardHeaders?: readonly string[];
  /** Receives warnings about calls that did not reach the service, at most ten a second. Default: standard error. */
  readonly log?: Log;
}

/**
 * Serves a service that runs elsewhere: its methods are called over the channel. Deadline, cancellation, messages, status with details, and
 * trailers are forwarded. The server's interceptors run first, and its gateway serves the methods by REST, Connect and gRPC-Web.
 *
 * If the channel cannot reach the service, its error, with addresses and attempts, is logged but not sent to clients.
 *
 * Set `keepUnknownFields: true` for the server, to forward fields that are newer than the generated code here.
 *
 * @param channel the result of `createChannel`, or any transport
 * @throws TypeError for unknown options, and for an invalid header name
 */
export function forward(
  router: ConnectRouter,
  service: DescService,
  channel: Transport,
  options: ForwardOptions = {},
): void {
  refuseUnknownOptions("forward", options, ["forwardHeaders", "log"]);
  checkForwardHeaders(options.forwardHeaders ?? []);
  const errors = new ForwardErrors(safeLog(options.log));
  const call: ForwardedCalls = {
    channel,
    turnEnd: sharedTurnEnd,
    passed: forwardedHeaders(options.forwardHeaders ?? []),
    explain: (error, method) => errors.explain(error, method),
  };
  for (const method of service.methods) router.rpc(method, createHandler(method, call) as MethodImpl<DescMethod>);
}

/** Of all channels: one turn has requests for several services. */
const sharedTurnEnd = new TurnEnd();

interface ForwardedCalls {
  readonly channel: Transport;
  readonly turnEnd: TurnEnd;
  /** What of a request's headers is handed on. */
  passed(context: HandlerContext): [string, string][] | undefined;
  /** The error that the client gets. */
  explain(error: unknown, method: DescMethod): unknown;
}

function createHandler(method: DescMethod, calls: ForwardedCalls) {
  if (method.methodKind === "unary") {
    const unary = method as DescMethodUnary;
    return (request: Message, context: HandlerContext) => callOnce(unary, calls, request, context);
  }
  const streaming = method as DescMethodStreaming;
  switch (method.methodKind) {
    case "server_streaming":
      return (request: Message, context: HandlerContext) => callStream(streaming, calls, oneOf(request), context);
    case "client_streaming":
      return (requests: AsyncIterable<Message>, context: HandlerContext) =>
        onlyOne(callStream(streaming, calls, requests, context));
    case "bidi_streaming":
      return (requests: AsyncIterable<Message>, context: HandlerContext) =>
        callStream(streaming, calls, requests, context);
  }
}

async function callOnce(
  method: DescMethodUnary,
  { channel, turnEnd, passed, explain }: ForwardedCalls,
  request: Message,
  context: HandlerContext,
): Promise<Message> {
  let response: UnaryResponse;
  await turnEnd.reached();
  try {
    response = await channel.unary(method, context.signal, timeoutOf(context), passed(context), request);
  } catch (error) {
    throw explain(error, method);
  }
  copyHeader(response, context);
  copyTrailer(response, context);
  return response.message;
}

async function* callStream(
  method: DescMethodStreaming,
  { channel, passed, explain }: ForwardedCalls,
  requests: AsyncIterable<Message>,
  context: HandlerContext,
): AsyncGenerator<Message, void> {
  try {
    const response: StreamResponse = await channel.stream(
      method,
      context.signal,
      timeoutOf(context),
      passed(context),
      requests,
    );
    copyHeader(response, context);
    yield* response.message;
    copyTrailer(response, context);
  } catch (error) {
    throw explain(error, method);
  }
}

/** Returns the remaining time, at least 1 ms, because 0 would mean no timeout. */
function timeoutOf(context: HandlerContext): number | undefined {
  const remainingMs = context.timeoutMs();
  return remainingMs === undefined ? undefined : Math.max(1, remainingMs);
}

async function* oneOf(message: Message): AsyncIterable<Message> {
  yield message;
}

/** Returns the response of a client stream. The channel ensures that there is exactly one. */
async function onlyOne(messages: AsyncIterable<Message>): Promise<Message> {
  let only: Message | undefined;
  for await (const message of messages) only = message;
  if (only === undefined) throw new Error("the channel has given no response to a client stream");
  return only;
}
