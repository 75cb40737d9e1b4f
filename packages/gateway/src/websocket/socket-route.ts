import type { DescMethod, Message } from "@bufbuild/protobuf";
import type { GatewayHost, MethodHandler } from "@tercel/grpc/protocols";
import type { RestSettings } from "../rest/rest-settings.ts";
import { defaultSystemParameters } from "../rules/bind-query.ts";
import { bindRequest, bindStreamed } from "../rules/bind-request.ts";
import { encodeResponse } from "../rules/encode-response.ts";
import { decodeJsonBody } from "../rules/json-body.ts";
import { parseQuery } from "../rules/query-parameters.ts";
import type { RestBinding } from "../rules/rest-binding.ts";

/** The streaming method of a WebSocket's path, with the JSON form of its messages. */
export interface SocketRoute {
  readonly method: DescMethod;
  readonly handler: MethodHandler;
  /** The path and query contain the whole request, so the call starts without a message. */
  readonly isRequestInPath: boolean;
  /**
   * Decodes a request from a text message, the path and the query.
   *
   * @throws ConnectError InvalidArgument
   */
  decode(text: Uint8Array): Message;
  encode(message: Message): string;
}

/** Route of a method's own path: a text message is a complete request. */
export function routeByMethod(host: GatewayHost, method: DescMethod, handler: MethodHandler): SocketRoute {
  return {
    ...{ method, handler, isRequestInPath: false },
    decode: (text) => decodeJsonBody(host.json, method.input, text, ""),
    encode: (message) => host.json.encodeText(method.output, message),
  };
}

/** The parts of a handshake that a REST route binds. */
export interface RoutedRequest {
  readonly host: GatewayHost;
  readonly settings: RestSettings;
  readonly pathValues: readonly string[];
  readonly query: string;
  header(name: string): string | undefined;
}

/**
 * Route of a REST rule: a text message is the body of the rule. If the method takes a stream and its rule has no body, a text message is a
 * complete request, because it would be empty otherwise.
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
