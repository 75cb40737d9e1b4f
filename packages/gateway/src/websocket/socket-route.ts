import type { DescMethod, Message } from "@bufbuild/protobuf";
import type { GatewayHost, MethodHandler } from "@tercel/grpc/protocols";
import type { RestSettings } from "../rest/rest-settings.ts";
import { defaultSystemParameters } from "../rules/bind-query.ts";
import { bindRequest, bindStreamed } from "../rules/bind-request.ts";
import { encodeResponse } from "../rules/encode-response.ts";
import { decodeJsonBody } from "../rules/json-body.ts";
import { parseQuery } from "../rules/query-parameters.ts";
import type { RestBinding } from "../rules/rest-binding.ts";

/** A streaming method that a WebSocket's path leads to, and how its messages are JSON. */
export interface SocketRoute {
  readonly method: DescMethod;
  readonly handler: MethodHandler;
  /** The request is in the path and the query: it waits for no message. */
  readonly isRequestInPath: boolean;
  /**
   * The request that a text message holds, together with the path and the query.
   *
   * @throws ConnectError InvalidArgument
   */
  decode(text: Uint8Array): Message;
  encode(message: Message): string;
}

/** By the method's own path: messages are whole. */
export function routeByMethod(host: GatewayHost, method: DescMethod, handler: MethodHandler): SocketRoute {
  return {
    ...{ method, handler, isRequestInPath: false },
    decode: (text) => decodeJsonBody(host.json, method.input, text, ""),
    encode: (message) => host.json.encodeText(method.output, message),
  };
}

/** What a REST route takes of a request besides messages. */
export interface RoutedRequest {
  readonly host: GatewayHost;
  readonly settings: RestSettings;
  readonly pathValues: readonly string[];
  readonly query: string;
  header(name: string): string | undefined;
}

/**
 * By a REST route: messages are what the rule calls the body. Where a method takes a stream and its rule has no body, messages are whole, since
 * they would hold nothing otherwise.
 */
export function routeByBinding(binding: RestBinding, handler: MethodHandler, request: RoutedRequest): SocketRoute {
  const { host, settings, pathValues } = request;
  const { method } = binding;
  let system = defaultSystemParameters;
  const takesStream = method.methodKind !== "server_streaming";
  const framed = takesStream && binding.body === undefined ? { ...binding, body: "*" as const } : binding;
  return {
    ...{ method, handler, isRequestInPath: !takesStream && binding.body === undefined },
    decode(text) {
      if (takesStream) return bindStreamed(framed, pathValues, text, host.json);
      const whole = { pathValues, query: parseQuery(request.query), body: text, header: request.header };
      const bound = bindRequest(binding, whole, { json: host.json, unknownQuery: settings.unknownQuery });
      system = bound.system;
      return bound.message;
    },
    encode: (message) => encodeResponse(binding, message, system, host),
  };
}
