import type { DescMessage, DescMethodStreaming, MessageInitShape } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ContextValues,
  createContextValues,
  type Interceptor,
  type StreamRequest,
  type StreamResponse,
  type Transport,
} from "@connectrpc/connect";
import { createClientMethodSerializers, createMethodUrl, runStreamingCall } from "@connectrpc/connect/protocol";
import { requestHeader } from "@connectrpc/connect/protocol-grpc";
import { checkWholeNumber, refuseUnknownOptions } from "@tercel/grpc/portable";
import { SocketCallClient } from "./socket-call-client.ts";

export interface WebSocketTransportOptions {
  /** The transport for unary calls, for example of `@connectrpc/connect-web`. Default: unary calls fail with UNIMPLEMENTED. */
  readonly unary?: Transport;
  readonly interceptors?: Interceptor[];
  /** The timeout of calls without one. Default: none. */
  readonly defaultTimeoutMs?: number;
}

/**
 * Creates a transport for streams of all kinds over WebSockets, with one connection for each call. Pages can use it for bidirectional streams,
 * which fetch does not support. The server needs `createGateway({ webSockets: createWebSockets() })`. Use it with `createClient`; headers,
 * trailers, deadlines and cancellation work as with any transport.
 *
 * WebSockets have no backpressure in browsers: messages that a page does not read in time are buffered in its memory. Let the server send only
 * what the page needs.
 *
 * @param baseUrl the URL of the server, such as `https://api.example.com` or `location.origin`
 * @throws TypeError or RangeError for options that are unknown or out of range
 */
export function createWebSocketTransport(baseUrl: string, options: WebSocketTransportOptions = {}): Transport {
  const where = "createWebSocketTransport";
  refuseUnknownOptions(where, options, ["unary", "interceptors", "defaultTimeoutMs"]);
  checkWholeNumber(where, "defaultTimeoutMs", options.defaultTimeoutMs, 1, Number.MAX_SAFE_INTEGER);
  if (!/^(https?|wss?):\/\//.test(baseUrl)) {
    throw new TypeError(
      `${where}: the URL is ${JSON.stringify(baseUrl)}; it has to begin with http:, https:, ws: or wss:`,
    );
  }
  const socketUrl = baseUrl.replace(/^http/, "ws");
  const transport: Transport = {
    unary(method, ...call) {
      if (options.unary !== undefined) return options.unary.unary(method, ...call);
      const text = `${method.parent.typeName}/${method.name} is unary: give createWebSocketTransport a transport for such calls (unary)`;
      return Promise.reject(new ConnectError(text, Code.Unimplemented));
    },
    stream<I extends DescMessage, O extends DescMessage>(
      method: DescMethodStreaming<I, O>,
      signal: AbortSignal | undefined,
      givenTimeoutMs: number | undefined,
      header: ConstructorParameters<typeof Headers>[0],
      input: AsyncIterable<MessageInitShape<I>>,
      contextValues?: ContextValues,
    ) {
      const timeoutMs = effectiveTimeout(givenTimeoutMs, options.defaultTimeoutMs);
      const { serialize, parse } = createClientMethodSerializers(method, true, undefined, undefined);
      return runStreamingCall<I, O>({
        ...(options.interceptors === undefined ? {} : { interceptors: options.interceptors }),
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
        ...(signal === undefined ? {} : { signal }),
        req: {
          stream: true,
          service: method.parent,
          method,
          requestMethod: "POST",
          url: createMethodUrl(socketUrl, method),
          header: requestHeader(true, timeoutMs, header),
          contextValues: contextValues ?? createContextValues(),
          message: input,
        },
        next: async (request: StreamRequest<I, O>): Promise<StreamResponse<I, O>> => {
          const call = new SocketCallClient(request.url, request.signal);
          const responseHeader = await call.start(request.header, encoded(request.message, serialize));
          const trailer = new Headers();
          const message = decoded(call.read(responseHeader, trailer), parse);
          return { stream: true, service: request.service, method, header: responseHeader, trailer, message };
        },
      });
    },
  };
  return transport;
}

/** A timeout of 0 or less means none. */
function effectiveTimeout(givenMs: number | undefined, defaultMs: number | undefined): number | undefined {
  if (givenMs === undefined) return defaultMs;
  return givenMs <= 0 ? undefined : givenMs;
}

async function* encoded<T>(
  messages: AsyncIterable<T>,
  serialize: (message: T) => Uint8Array,
): AsyncIterable<Uint8Array> {
  for await (const message of messages) yield serialize(message);
}

async function* decoded<T>(payloads: AsyncIterable<Uint8Array>, parse: (payload: Uint8Array) => T): AsyncIterable<T> {
  for await (const payload of payloads) yield parse(payload);
}
