import type { DescMethod } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import type { GatewayHost, MethodHandler } from "@tercel/grpc/protocols";
import type { CallServer, ServedMethod } from "../calls/call-server.ts";
import { findHeader } from "../calls/read-fields.ts";
import type { Responder } from "../calls/responder.ts";
import { parseConnectContentType } from "../connect/connect-content-type.ts";
import { connectErrorBody } from "../connect/connect-unary-response.ts";
import { ConnectUnaryCalls, createConnectStreamCalls, serveConnectGet } from "../connect/serve-connect.ts";
import type { Cors } from "../cors.ts";
import type { GatewayProtocol } from "../gateway-options.ts";
import { createGrpcWebCalls, parseGrpcWebContentType, sendGrpcWebError } from "../grpc-web/serve-grpc-web.ts";
import { allowedMethods, answerOptions } from "./answer-methods.ts";
import { refuseCall } from "./call-refusal.ts";

const formats = ["json", "proto"] as const;

/** Serves methods by their own paths, `/package.Service/Method`: Connect and gRPC-Web. */
export class MethodPaths {
  readonly #host: GatewayHost;
  readonly #cors: Cors | undefined;
  readonly #protocols: ReadonlySet<GatewayProtocol>;

  constructor(host: GatewayHost, cors: Cors | undefined, protocols: ReadonlySet<GatewayProtocol>) {
    this.#host = host;
    this.#cors = cors;
    this.#protocols = protocols;
  }

  /** Returns what serves further requests with this head; undefined where each has to be looked at. */
  serve(responder: Responder, handler: MethodHandler, method: DescMethod, query: string): CallServer | undefined {
    const { head } = responder;
    const served = { host: this.#host, handler };
    const isGettable =
      this.#protocols.has("connect") &&
      method.methodKind === "unary" &&
      method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
    if (head.method === "GET" && isGettable) serveConnectGet(served, responder, query);
    else if (head.method !== "POST") this.#answerMethods(responder, isGettable ? ["GET", "POST"] : ["POST"]);
    else {
      const contentType = findHeader(head.fields, "content-type") ?? "";
      const isUnary = method.methodKind === "unary";
      const server = this.#findServer(served, contentType, isUnary, head.fields);
      if (server === undefined) this.#refuseType(responder, contentType, isUnary);
      else {
        server.serve(responder);
        return server.isUsable ? server : undefined;
      }
    }
    return undefined;
  }

  /** Undefined for a content type that the method is not called by. */
  #findServer(
    served: ServedMethod,
    contentType: string,
    isUnary: boolean,
    fields: readonly string[],
  ): CallServer | undefined {
    const web = this.#protocols.has("grpc-web") ? parseGrpcWebContentType(contentType) : undefined;
    if (web !== undefined) return createGrpcWebCalls(served, web, fields);
    const connect = this.#protocols.has("connect") ? parseConnectContentType(contentType) : undefined;
    if (connect === undefined || connect.isStream === isUnary) return undefined;
    const { format } = connect;
    return isUnary ? new ConnectUnaryCalls(served, format, fields) : createConnectStreamCalls(served, format, fields);
  }

  /** A service's path without a method: the client learns it in its own protocol. */
  refuse(responder: Responder, path: string): void {
    const { head } = responder;
    const error = new ConnectError(
      `${JSON.stringify(path.slice(0, 128))} is not a method of this server`,
      Code.Unimplemented,
    );
    this.#host.unhandled.report({
      ...{ path: head.path, peer: responder.exchange.peerAddress, method: undefined },
      ...{ code: error.code, reason: error.rawMessage, durationMs: 0 },
    });
    const contentType = findHeader(head.fields, "content-type") ?? "";
    const web = parseGrpcWebContentType(contentType);
    if (web !== undefined) {
      sendGrpcWebError(responder, web.format, web.isText, error);
      return;
    }
    const isConnect = parseConnectContentType(contentType) !== undefined;
    if (isConnect) responder.send(404, ["content-type", "application/json"], connectErrorBody(error, this.#host));
    else refuseCall(responder, 404, error.rawMessage);
  }

  #answerMethods(responder: Responder, methods: readonly string[]): void {
    const allowed = allowedMethods(methods);
    if (responder.head.method === "OPTIONS") {
      answerOptions(responder, allowed, { cors: this.#cors, log: this.#host.log });
      return;
    }
    const names = allowed.join(", ");
    refuseCall(responder, 405, `the path exists for ${names} only`, ["allow", names]);
  }

  #refuseType(responder: Responder, contentType: string, isUnary: boolean): void {
    if (/^application\/grpc(\+|;|$)/i.test(contentType)) {
      refuseCall(responder, 505, "gRPC needs HTTP/2");
      return;
    }
    const types = [
      ...(this.#protocols.has("connect") ? formats.map((one) => `application/${isUnary ? "" : "connect+"}${one}`) : []),
      ...(this.#protocols.has("grpc-web") ? formats.map((one) => `application/grpc-web+${one}`) : []),
    ].join(", ");
    refuseCall(responder, 415, `the content-type has to be one of: ${types}`, ["accept-post", types]);
  }
}
