import { Code, ConnectError } from "@connectrpc/connect";
import { notFound } from "@tercel/grpc/errors";
import type { GatewayHost, HttpExchange, HttpExchangeListener } from "@tercel/grpc/protocols";
import type { CallServer } from "../calls/call-server.ts";
import { findHeader } from "../calls/read-fields.ts";
import { noExtras, Responder } from "../calls/responder.ts";
import type { Cors } from "../cors.ts";
import type { GatewayOptions, GatewayProtocol } from "../gateway-options.ts";
import type { UpgradeRequest } from "../http/upgrade-request.ts";
import { callAsClient } from "../mcp/call-as-client.ts";
import type { McpFace } from "../mcp/mcp-face.ts";
import { type LoadPage, pageResponse, sendPage } from "../openapi/static-pages.ts";
import { RestCalls } from "../rest/rest-calls.ts";
import { sendRestError } from "../rest/rest-error.ts";
import { RestRoute } from "../rest/rest-route.ts";
import type { RestSettings } from "../rest/rest-settings.ts";
import { withHttpStatus } from "../rules/http-status.ts";
import { requestProblem } from "../rules/request-problem.ts";
import type { RestTable } from "../rules/rest-table.ts";
import { serveFallback } from "../serve-fallback.ts";
import { noStreamHere, openWebSocket, whyNoSocket } from "../websocket/open-web-socket.ts";
import { routeByBinding, routeByMethod, type SocketRoute } from "../websocket/socket-route.ts";
import { allowedMethods, answerOptions } from "./answer-methods.ts";
import { isCall, refuseCall } from "./call-refusal.ts";
import { MethodPaths } from "./method-paths.ts";
import { parseTarget, type RequestTarget } from "./request-target.ts";
import type { TrustedProxies } from "./trusted-proxies.ts";

/** What requests are routed by. */
export interface RouterParts {
  readonly host: GatewayHost;
  readonly options: GatewayOptions;
  readonly table: RestTable;
  readonly settings: RestSettings;
  readonly cors: Cors | undefined;
  readonly proxies: TrustedProxies;
  /** By path. */
  readonly pages: ReadonlyMap<string, LoadPage>;
}

/**
 * Decides who serves a request: a method by its own path, the documentation, a REST route, the fallback, in this order. A path that begins with the
 * name of a service is never handed to the fallback: what guards a method must not be passed by with another spelling.
 */
export class RequestRouter {
  readonly #parts: RouterParts;
  readonly #methodPaths: MethodPaths;
  readonly #hasRest: boolean;
  readonly #serviceNames: ReadonlySet<string>;

  constructor(parts: RouterParts) {
    this.#parts = parts;
    const { host, options, cors } = parts;
    const protocols = new Set<GatewayProtocol>(options.protocols ?? ["connect", "grpc-web", "rest"]);
    this.#methodPaths = new MethodPaths(host, cors, protocols);
    this.#hasRest = protocols.has("rest");
    this.#serviceNames = new Set(host.services.map((service) => service.typeName));
  }

  serve(received: HttpExchange): void {
    const known = received.head.memo as CallServer | undefined;
    if (known !== undefined) {
      known.serve(new Responder(received, noExtras));
      return;
    }
    const { proxies } = this.#parts;
    const exchange = proxies.resolve(received);
    const responder = this.#createResponder(exchange);
    exchange.listener = new DroppedBody(exchange);
    const target = parseTarget(exchange.head.path);
    if (target instanceof ConnectError) {
      this.#refuse(responder, target);
      return;
    }
    const server = this.#serveTarget(responder, target);
    // What a proxy or a browser's page is told may differ, however alike the heads are.
    if (exchange === received && responder.isPlain) received.head.memo = server;
  }

  /** Returns what serves further requests with this head; undefined where each has to be looked at. */
  #serveTarget(responder: Responder, target: RequestTarget): CallServer | undefined {
    const handler = this.#parts.host.methods.find(target.path);
    if (handler?.desc !== undefined) return this.#methodPaths.serve(responder, handler, handler.desc, target.query);
    if (!this.#isServicePath(target)) return this.#serveOther(responder, target);
    this.#methodPaths.refuse(responder, target.path);
    return undefined;
  }

  /** Answers a request for a WebSocket, or opens it. */
  serveUpgrade(received: HttpExchange, upgrade: UpgradeRequest): void {
    const { host, settings, proxies } = this.#parts;
    const exchange = proxies.resolve(received);
    const responder = new Responder(exchange, noExtras);
    const target = parseTarget(exchange.head.path);
    if (target instanceof ConnectError) {
      this.#refuse(responder, target);
      return;
    }
    const route = this.#findSocketRoute(exchange, target);
    const problem = route === undefined ? noStreamHere() : whyNoSocket(exchange.head, settings);
    if (route === undefined || problem !== undefined) this.#refuse(responder, problem ?? noStreamHere());
    else openWebSocket({ host, settings, exchange, route }, upgrade);
  }

  /** Responses to a page of another origin say whether it may read them. */
  #createResponder(exchange: HttpExchange): Responder {
    const { cors } = this.#parts;
    const { method, fields } = exchange.head;
    const origin = cors === undefined ? undefined : findHeader(fields, "origin");
    if (cors === undefined || origin === undefined) return new Responder(exchange, noExtras);
    const isPreflight = method === "OPTIONS" && findHeader(fields, "access-control-request-method") !== undefined;
    return new Responder(exchange, isPreflight ? noExtras : cors.extrasFor(origin));
  }

  /** A streaming method, by its own path or by a route of any HTTP method: WebSockets begin with GET, whatever the rule says. */
  #findSocketRoute({ head }: HttpExchange, { path, query, segments }: RequestTarget): SocketRoute | undefined {
    const { host, settings, table } = this.#parts;
    const own = host.methods.find(path);
    if (own?.desc !== undefined) {
      return own.desc.methodKind === "unary" ? undefined : routeByMethod(host, own.desc, own);
    }
    if (!this.#hasRest) return undefined;
    for (const { binding, pathValues } of table.findAll(segments)) {
      const handler = host.methods.find(binding.methodPath);
      if (handler === undefined || binding.method.methodKind === "unary") continue;
      const header = (name: string) => findHeader(head.fields, name);
      return routeByBinding(binding, handler, { host, settings, pathValues, query, header });
    }
    return undefined;
  }

  /** Empty segments are skipped, because programs in front of a server may do so. */
  #isServicePath({ segments: { decoded } }: RequestTarget): boolean {
    const first = decoded[0] === "" ? decoded.find((segment) => segment !== "") : decoded[0];
    return first !== undefined && this.#serviceNames.has(first);
  }

  #serveOther(responder: Responder, target: RequestTarget): CallServer | undefined {
    const { host, options, pages } = this.#parts;
    const page = pages.get(target.path);
    if (page !== undefined) {
      this.#servePage(responder, page);
      return undefined;
    }
    if (target.path === options.mcp?.path) {
      this.#serveTools(responder, options.mcp);
      return undefined;
    }
    const found = this.#hasRest ? this.#serveRoute(responder, target) : undefined;
    if (found instanceof RestCalls) return found.isUsable ? found : undefined;
    if (found !== undefined) this.#answerMethods(responder, found);
    else if (options.fallback !== undefined) serveFallback(host, responder, options.fallback);
    else if (isCall(responder.head.fields)) refuseCall(responder, 404, "path not found");
    else this.#refuse(responder, notFound({ message: "path not found", reason: "NO_ROUTE" }));
    return undefined;
  }

  #servePage(responder: Responder, load: LoadPage): void {
    const { host, options } = this.#parts;
    const { method } = responder.head;
    const guard = options.openapi?.guard;
    if (method !== "GET" && method !== "HEAD") this.#answerMethods(responder, ["GET", "HEAD"]);
    else if (guard === undefined) {
      load().then(
        (page) => sendPage(responder, page),
        (error) => {
          host.log.error("a page of documentation could not be made", { path: responder.head.path, error });
          this.#refuse(responder, new ConnectError("internal error", Code.Internal));
        },
      );
    } else serveFallback(host, responder, async (request) => (await guard(request)) ?? pageResponse(await load()));
  }

  /** A page of another origin must not use the tools that its user may use. */
  #serveTools(responder: Responder, mcp: McpFace): void {
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
    serveFallback(host, responder, (request) =>
      mcp.serve(request, (method, json, signal) =>
        callAsClient(parts, exchange, method, json, AbortSignal.any([signal, request.signal])),
      ),
    );
  }

  /** What has served the request; the HTTP methods of the path where it exists for others; undefined where it does not exist. */
  #serveRoute(responder: Responder, { query, segments }: RequestTarget): RestCalls | readonly string[] | undefined {
    const { host, table, settings } = this.#parts;
    const { method } = responder.head;
    let found = table.find(method, segments);
    if (found === undefined) return undefined;
    if ("allowed" in found) {
      const { allowed } = found;
      found = method === "HEAD" && allowed.includes("GET") ? table.find("GET", segments) : undefined;
      if (found === undefined || !("binding" in found)) return allowed;
    }
    const { binding, pathValues } = found;
    const handler = host.methods.find(binding.methodPath);
    if (handler === undefined) return undefined;
    const calls = new RestCalls(new RestRoute({ host, settings, handler, binding }, pathValues, query), responder.head);
    calls.serve(responder);
    return calls;
  }

  /** Answers OPTIONS, and refuses what the path does not have. */
  #answerMethods(responder: Responder, methods: readonly string[]): void {
    const allowed = allowedMethods(methods);
    if (responder.head.method === "OPTIONS") {
      answerOptions(responder, allowed, { cors: this.#parts.cors, log: this.#parts.host.log });
      return;
    }
    const names = allowed.join(", ");
    const problem = requestProblem("METHOD_NOT_ALLOWED", [], `the path exists for ${names} only`);
    this.#refuse(responder, withHttpStatus(problem, 405), ["allow", names]);
  }

  #refuse(responder: Responder, error: ConnectError, fields: readonly string[] = []): void {
    sendRestError(responder, error, this.#parts, { fields });
  }
}

/** What still comes of a request that was answered by its head alone. */
class DroppedBody implements HttpExchangeListener {
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
