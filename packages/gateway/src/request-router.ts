import type { DescMethod } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { notFound } from "@tercel/grpc/errors";
import type { GatewayHost, HttpExchange, MethodHandler } from "@tercel/grpc/protocols";
import { findHeader, splitTarget } from "./calls/read-fields.ts";
import { noExtras, Responder } from "./calls/responder.ts";
import type { TrustedProxies } from "./calls/trusted-proxies.ts";
import { parseConnectContentType } from "./connect/connect-content-type.ts";
import { connectErrorBody } from "./connect/connect-unary-response.ts";
import { serveConnectGet, serveConnectStream, serveConnectUnary } from "./connect/serve-connect.ts";
import type { Cors } from "./cors.ts";
import type { GatewayOptions, GatewayProtocol } from "./gateway-options.ts";
import { parseGrpcWebContentType, sendGrpcWebError, serveGrpcWeb } from "./grpc-web/serve-grpc-web.ts";
import type { UpgradeRequest } from "./http/http1-server.ts";
import { callAsClient } from "./mcp/call-as-client.ts";
import type { McpFace } from "./mcp/mcp-face.ts";
import { pageResponse, type StaticPage, sendPage } from "./openapi/static-pages.ts";
import { sendRestError } from "./rest/rest-error.ts";
import type { RestSettings } from "./rest/rest-settings.ts";
import { serveRest } from "./rest/serve-rest.ts";
import { withHttpStatus } from "./rules/http-status.ts";
import { parseRequestPath } from "./rules/request-path.ts";
import { requestProblem } from "./rules/request-problem.ts";
import type { RestTable } from "./rules/rest-table.ts";
import { serveFallback } from "./serve-fallback.ts";
import { noStreamHere, openWebSocket, whyNoSocket } from "./websocket/open-web-socket.ts";
import { routeByBinding, routeByMethod, type SocketRoute } from "./websocket/socket-route.ts";

/** What requests are routed by. */
export interface RouterParts {
  readonly host: GatewayHost;
  readonly options: GatewayOptions;
  readonly table: RestTable;
  readonly settings: RestSettings;
  readonly cors: Cors | undefined;
  readonly proxies: TrustedProxies;
  /** By path. */
  readonly pages: ReadonlyMap<string, StaticPage>;
}

/** The target of a request, taken apart. */
interface RequestTarget {
  readonly path: string;
  readonly query: string;
  readonly url: string;
  /** Of the path, decoded. */
  readonly segments: readonly string[];
}

/**
 * Decides who serves a request: a method by its own path, the documentation, a REST route, the fallback, in this order. A path that begins with the
 * name of a service is never handed to the fallback: what guards a method must not be passed by with another spelling.
 */
export class RequestRouter {
  readonly #parts: RouterParts;
  readonly #cors: Cors | undefined;
  readonly #protocols: ReadonlySet<GatewayProtocol>;
  readonly #serviceNames: ReadonlySet<string>;

  constructor(parts: RouterParts) {
    this.#parts = parts;
    const { protocols } = parts.options;
    this.#cors = parts.cors;
    this.#protocols = new Set(protocols ?? ["connect", "grpc-web", "rest"]);
    this.#serviceNames = new Set(parts.host.services.map((service) => service.typeName));
  }

  serve(received: HttpExchange): void {
    const exchange = this.#parts.proxies.resolve(received);
    const { head } = exchange;
    const origin = findHeader(head.fields, "origin");
    const extras = origin === undefined ? undefined : this.#cors?.extrasFor(origin);
    const isPreflight =
      head.method === "OPTIONS" && findHeader(head.fields, "access-control-request-method") !== undefined;
    const responder = new Responder(exchange, isPreflight ? noExtras : (extras ?? noExtras));
    exchange.listener = new DroppedBody(exchange);
    const target = this.#readTarget(responder);
    if (target === undefined) return;
    const { path, query, url } = target;
    const handler = this.#parts.host.methods.find(path);
    if (handler?.desc !== undefined) this.#serveMethod(responder, handler, handler.desc, { query, url });
    else if (this.#isServicePath(target.segments)) this.#refuseMethod(responder, path);
    else this.#serveOther(responder, path, query, url);
  }

  /** Answers a request for a WebSocket, or opens it. */
  serveUpgrade(received: HttpExchange, upgrade: UpgradeRequest): void {
    const exchange = this.#parts.proxies.resolve(received);
    const responder = new Responder(exchange, noExtras);
    const target = this.#readTarget(responder);
    if (target === undefined) return;
    const { host, settings } = this.#parts;
    const route = this.#findSocketRoute(exchange, target);
    const problem = route === undefined ? noStreamHere() : whyNoSocket(exchange.head, settings);
    if (route === undefined || problem !== undefined) this.#refuse(responder, problem ?? noStreamHere());
    else openWebSocket({ host, settings, exchange, route, url: target.url }, upgrade);
  }

  /** Undefined: the request was refused. */
  #readTarget(responder: Responder): RequestTarget | undefined {
    const { head } = responder;
    if (head.path.length > maxTargetBytes) {
      this.#refuse(
        responder,
        withHttpStatus(requestProblem("PATH_TOO_LONG", [], `the path is over ${maxTargetBytes} bytes`), 414),
      );
      return undefined;
    }
    const { path, query } = splitTarget(head.path);
    const parsed = parseRequestPath(path);
    if ("problem" in parsed) {
      this.#refuse(responder, requestProblem("INVALID_PATH", [], parsed.problem));
      return undefined;
    }
    const url = `${head.scheme}://${head.authority ?? "localhost"}${head.path}`;
    return { path, query, url, segments: parsed.decoded };
  }

  /** A streaming method, by its own path or by a route of any HTTP method: WebSockets begin with GET, whatever the rule says. */
  #findSocketRoute({ head }: HttpExchange, { path, query }: RequestTarget): SocketRoute | undefined {
    const { host, settings, table } = this.#parts;
    const own = host.methods.find(path);
    if (own?.desc !== undefined) {
      return own.desc.methodKind === "unary" ? undefined : routeByMethod(host, own.desc, own);
    }
    if (!this.#protocols.has("rest")) return undefined;
    for (const { binding, pathValues } of table.findAll(path)) {
      const handler = host.methods.find(`/${binding.method.parent.typeName}/${binding.method.name}`);
      if (handler === undefined || binding.method.methodKind === "unary") continue;
      const header = (name: string) => findHeader(head.fields, name);
      return routeByBinding(binding, handler, { host, settings, pathValues, query, header });
    }
    return undefined;
  }

  /** Empty segments are skipped, because programs in front of a server may do so. */
  #isServicePath(segments: readonly string[]): boolean {
    return this.#serviceNames.has(segments.find((segment) => segment !== "") ?? "");
  }

  // ---- a method's own path

  #serveMethod(
    responder: Responder,
    handler: MethodHandler,
    method: DescMethod,
    target: { readonly query: string; readonly url: string },
  ): void {
    const { host } = this.#parts;
    const { head } = responder;
    const request = { host, handler, responder, url: target.url };
    const isGettable =
      this.#protocols.has("connect") &&
      method.methodKind === "unary" &&
      method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
    if (head.method === "GET" && isGettable) {
      serveConnectGet(request, target.query);
      return;
    }
    if (head.method !== "POST") {
      this.#answerMethods(responder, isGettable ? ["GET", "POST"] : ["POST"], true);
      return;
    }
    const contentType = findHeader(head.fields, "content-type") ?? "";
    const web = this.#protocols.has("grpc-web") ? parseGrpcWebContentType(contentType) : undefined;
    if (web !== undefined) {
      serveGrpcWeb({ ...request, ...web });
      return;
    }
    const connect = this.#protocols.has("connect") ? parseConnectContentType(contentType) : undefined;
    const isUnary = method.methodKind === "unary";
    if (connect !== undefined && connect.isStream !== isUnary) {
      const { format } = connect;
      if (isUnary) serveConnectUnary({ ...request, format });
      else serveConnectStream({ ...request, format });
      return;
    }
    this.#refuseType(responder, contentType, isUnary);
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

  /** A service's path without a method: the client learns it in its own protocol. */
  #refuseMethod(responder: Responder, path: string): void {
    const { host } = this.#parts;
    const { head } = responder;
    const error = new ConnectError(
      `${JSON.stringify(path.slice(0, 128))} is not a method of this server`,
      Code.Unimplemented,
    );
    host.unhandled.tell({
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
    if (isConnect) responder.send(404, ["content-type", "application/json"], connectErrorBody(error, host));
    else refuseCall(responder, 404, error.rawMessage);
  }

  // ---- everything else

  #serveOther(responder: Responder, path: string, query: string, url: string): void {
    const { host, options, pages } = this.#parts;
    const page = pages.get(path);
    if (page !== undefined) {
      this.#servePage(responder, page, url);
      return;
    }
    if (path === options.mcp?.path) {
      this.#serveTools(responder, options.mcp, url);
      return;
    }
    const allowed = this.#protocols.has("rest") ? this.#serveRoute(responder, path, query, url) : undefined;
    if (allowed === "served") return;
    if (allowed !== undefined) this.#answerMethods(responder, allowed);
    else if (options.fallback !== undefined) serveFallback(host, responder, url, options.fallback);
    else if (isCall(responder.head.fields)) refuseCall(responder, 404, "there is nothing at this path");
    else this.#refuse(responder, notFound({ message: "there is nothing at this path", reason: "NO_ROUTE" }));
  }

  #servePage(responder: Responder, page: StaticPage, url: string): void {
    const { host, options } = this.#parts;
    const { method } = responder.head;
    const guard = options.openapi?.guard;
    if (method !== "GET" && method !== "HEAD") this.#answerMethods(responder, ["GET", "HEAD"]);
    else if (guard === undefined) sendPage(responder, page);
    else serveFallback(host, responder, url, async (request) => (await guard(request)) ?? pageResponse(page));
  }

  /** A page of another origin must not use the tools that its user may use. */
  #serveTools(responder: Responder, mcp: McpFace, url: string): void {
    const { host, settings } = this.#parts;
    const { exchange } = responder;
    if (responder.head.method === "OPTIONS") {
      this.#answerMethods(responder, ["POST"]);
      return;
    }
    if (settings.isForeign(responder.head)) {
      this.#refuse(responder, new ConnectError("pages of this origin may not call tools here", Code.PermissionDenied));
      return;
    }
    const parts = { host, defaultTimeoutMs: settings.defaultTimeoutMs };
    serveFallback(host, responder, url, (request) =>
      mcp.serve(request, (method, json, signal) =>
        callAsClient(parts, exchange, method, json, AbortSignal.any([signal, request.signal])),
      ),
    );
  }

  /** The HTTP methods of the path where it exists for others; undefined where it does not exist. */
  #serveRoute(
    responder: Responder,
    path: string,
    query: string,
    url: string,
  ): readonly string[] | "served" | undefined {
    const { host, table, settings } = this.#parts;
    const { method } = responder.head;
    let found = table.find(method, path);
    if (found === undefined || "problem" in found) return undefined;
    if ("allowed" in found && method === "HEAD" && found.allowed.includes("GET")) found = table.find("GET", path);
    if (found === undefined || !("binding" in found))
      return found !== undefined && "allowed" in found ? found.allowed : undefined;
    const { binding, pathValues } = found;
    const handler = host.methods.find(`/${binding.method.parent.typeName}/${binding.method.name}`);
    if (handler === undefined) return undefined;
    serveRest({ host, settings, responder, handler, binding, pathValues, query, url });
    return "served";
  }

  /** Answers OPTIONS, and refuses what the path does not have. */
  #answerMethods(responder: Responder, methods: readonly string[], isCallPath = false): void {
    const { head } = responder;
    const allowed = new Set(methods);
    if (allowed.has("GET")) allowed.add("HEAD");
    allowed.add("OPTIONS");
    const names = [...allowed];
    if (head.method !== "OPTIONS") {
      const text = `the path exists for ${names.join(", ")} only`;
      const fields = ["allow", names.join(", ")];
      if (isCallPath) refuseCall(responder, 405, text, fields);
      else this.#refuse(responder, withHttpStatus(requestProblem("METHOD_NOT_ALLOWED", [], text), 405), fields);
      return;
    }
    const origin = findHeader(head.fields, "origin");
    const fields = ["allow", names.join(", ")];
    if (this.#cors !== undefined && origin !== undefined) {
      fields.push(
        ...this.#cors.preflightFields(origin, names, findHeader(head.fields, "access-control-request-headers")),
      );
      if (!this.#cors.allows(origin)) {
        this.#parts.host.log.warn("a web page of an origin that cors does not allow", { origin: origin.slice(0, 128) });
      }
    }
    responder.sendHead(204, fields);
    responder.end();
  }

  #refuse(responder: Responder, error: ConnectError, fields: readonly string[] = []): void {
    sendRestError(responder, error, this.#parts, { fields });
  }
}

const maxTargetBytes = 8 * 1024;
const formats = ["json", "proto"] as const;

/** A client of gRPC-Web or Connect that calls a method. */
function isCall(fields: readonly string[]): boolean {
  const contentType = findHeader(fields, "content-type") ?? "";
  if (parseGrpcWebContentType(contentType) !== undefined) return true;
  const isConnect = parseConnectContentType(contentType) !== undefined;
  return (
    isConnect && (findHeader(fields, "connect-protocol-version") !== undefined || /proto|connect/i.test(contentType))
  );
}

/** Clients of gRPC-Web and Connect read JSON as an error in Connect's form, and anything else by its HTTP status. */
function refuseCall(responder: Responder, status: number, text: string, fields: readonly string[] = []): void {
  responder.send(status, ["content-type", "text/plain; charset=utf-8", ...fields], Buffer.from(`${text}\n`));
}

/** What still comes of a request that was answered by its head alone. */
class DroppedBody {
  readonly #exchange: HttpExchange;

  constructor(exchange: HttpExchange) {
    this.#exchange = exchange;
  }

  onData(bytes: Uint8Array): void {
    this.#exchange.consume(bytes.length);
  }

  onEnd(): void {}
  onClose(): void {}
  onWritable(): void {}
}
