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

/** How calls are handed on. */
export interface ForwardOptions {
  /**
   * Request headers that are handed on besides `authorization`, `traceparent`, `tracestate`, `x-request-id`, `idempotency-key` and
   * `accept-language`. All others stay here: services behind a gateway often believe headers such as `x-user-id`, which any stranger can send.
   */
  readonly forwardHeaders?: readonly string[];
  /** Where calls are reported that did not reach the service, at most ten a second. Default: standard error. */
  readonly log?: Log;
}

/**
 * Serves a service that runs elsewhere: each of its methods is called over the channel, with the deadline, the cancellation, messages, status with
 * details, and trailers handed on. The server's interceptors run before, and its gateway serves the methods by REST, Connect and gRPC-Web.
 *
 * What the channel says about a service that it cannot reach (addresses, attempts) is logged, and not sent to clients.
 *
 * Give the server `keepUnknownFields: true`, so that fields pass that the service has got since its code was generated here.
 *
 * @param channel what `createChannel` returns, or any transport
 * @throws TypeError for options that are unknown, and a name that is not a header's
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

/** What is left of the deadline. 0 would be none at all. */
function timeoutOf(context: HandlerContext): number | undefined {
  const remainingMs = context.timeoutMs();
  return remainingMs === undefined ? undefined : Math.max(1, remainingMs);
}

async function* oneOf(message: Message): AsyncIterable<Message> {
  yield message;
}

/** The response of a client stream. The channel makes sure that there is one, and no more. */
async function onlyOne(messages: AsyncIterable<Message>): Promise<Message> {
  let only: Message | undefined;
  for await (const message of messages) only = message;
  if (only === undefined) throw new Error("the channel has given no response to a client stream");
  return only;
}
