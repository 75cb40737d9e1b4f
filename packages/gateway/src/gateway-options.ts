import type { DescMethod, JsonValue, Message, MessageInitShape } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { checkWholeNumber, refuseUnknownOptions } from "@tercel/grpc/internal";
import type { CorsOptions } from "./cors.ts";
import type { HttpRuleSchema } from "./gen/google/api/http_pb.ts";
import type { Http1Limits } from "./http/http1-limits.ts";
import type { McpFace } from "./mcp/mcp-face.ts";
import { checkOpenApi, type OpenApiServing } from "./openapi/openapi-options.ts";
import { TrustedProxies } from "./routing/trusted-proxies.ts";
import type { Fallback } from "./serve-fallback.ts";
import type { WebSockets } from "./websocket/message-socket.ts";

/** A protocol in addition to gRPC. */
export type GatewayProtocol = "connect" | "grpc-web" | "rest";

/** REST settings of methods that their HTTP rules do not have. */
export interface RestMethod {
  /** The method, as `package.Service/Method` or its descriptor, or a list of them. */
  readonly of: string | DescMethod | readonly (string | DescMethod)[];
  /** The HTTP status of successful calls, from 200 to 299. Default 200. `setHttpStatus` in a handler takes precedence. */
  readonly successStatus?: number;
}

export interface GatewayOptions {
  /** The protocols in addition to gRPC. Default: all three. */
  readonly protocols?: readonly GatewayProtocol[];
  /** Which web pages may call from a browser. Default: only those of the server's own origin. */
  readonly cors?: CorsOptions;
  /** HTTP rules by `selector`, as in a service config. A rule replaces those in its method's proto. Default: none. */
  readonly rules?: readonly MessageInitShape<typeof HttpRuleSchema>[];
  /** REST settings by method. Default: the status of every success is 200. */
  readonly methods?: readonly RestMethod[];
  /**
   * How to handle unknown query parameters. "error": the request is rejected with the nearest known name, so that a misspelt filter does not return
   * everything. "ignore": they are ignored. A list such as `["utm_*"]`: only matching ones are ignored. Default "error".
   */
  readonly unknownQuery?: "error" | "ignore" | readonly string[];
  /** The body of errors over REST: Google's form (AIP-193), google.rpc.Status, or a function that returns it. Default "aip". */
  readonly errorBody?: "aip" | "status" | ((error: ConnectError, httpStatus: number) => JsonValue);
  /** The domain of ErrorInfo in errors of the gateway itself. Default "tercel.dev". */
  readonly errorDomain?: string;
  /** The form of server streams over REST if the client does not choose one: lines of JSON, or one array as in Google's APIs. Default "ndjson". */
  readonly defaultStream?: "ndjson" | "array";
  /** Server-sent events. `idOf` returns the id of an event, after which a client resumes. Default: the field `resume_token`. */
  readonly sse?: { readonly idOf?: (message: Message) => string | undefined };
  /** The source of ETags: the response's field `etag`, or with "body", also a hash of the body if the response has no such field. Default "field". */
  readonly etag?: "field" | "body";
  /** The timeout of unary calls over REST without one. Default 60,000. */
  readonly defaultTimeoutMs?: number;
  /** The OpenAPI document, and a page that shows it. Default: neither. */
  readonly openapi?: OpenApiServing;
  /**
   * Serves all other requests, for example for a web page or metrics. It never gets paths that start with the name of a service, or that have
   * segments `.` or `..`. Default: 404.
   */
  readonly fallback?: Fallback;
  /** Limits for slow HTTP/1.1 clients. */
  readonly http1?: Partial<Http1Limits>;
  /**
   * Also serves streaming methods over WebSockets: `createWebSockets()` of `@tercel/gateway/websocket`. Browsers may open them from the
   * server's own origin, and from those of `cors`. Default: no WebSockets.
   */
  readonly webSockets?: WebSockets;
  /** Serves methods as tools of the Model Context Protocol: `createMcpFace()` of `@tercel/gateway/mcp`. Default: none. */
  readonly mcp?: McpFace;
  /**
   * The proxies whose `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Forwarded-Host` are trusted: addresses, networks (`10.0.0.0/8`), and
   * "unix" for Unix sockets. From other clients these fields are dropped, because anyone can send them. Default: none.
   */
  readonly trustProxy?: readonly string[];
}

const optionNames: readonly (keyof GatewayOptions)[] = [
  ...(["protocols", "cors", "rules", "methods", "unknownQuery", "errorBody", "errorDomain", "defaultStream"] as const),
  ...(["sse", "etag", "defaultTimeoutMs", "openapi", "fallback", "http1", "webSockets", "mcp", "trustProxy"] as const),
];

const protocolNames: readonly GatewayProtocol[] = ["connect", "grpc-web", "rest"];
const where = "createGateway";

/** @throws TypeError or RangeError that names the invalid option and the expected values */
export function checkGatewayOptions(options: GatewayOptions): void {
  refuseUnknownOptions(where, options, optionNames);
  for (const protocol of options.protocols ?? []) checkOneOf("protocols", protocol, protocolNames);
  if (options.defaultStream !== undefined) checkOneOf("defaultStream", options.defaultStream, ["ndjson", "array"]);
  if (options.etag !== undefined) checkOneOf("etag", options.etag, ["field", "body"]);
  if (typeof options.errorBody !== "function" && options.errorBody !== undefined) {
    checkOneOf("errorBody", options.errorBody, ["aip", "status"]);
  }
  if (!Array.isArray(options.unknownQuery) && options.unknownQuery !== undefined) {
    checkOneOf("unknownQuery", options.unknownQuery as string, ["error", "ignore"]);
  }
  checkWholeNumber(where, "defaultTimeoutMs", options.defaultTimeoutMs, 1, Number.MAX_SAFE_INTEGER);
  if (options.fallback !== undefined && typeof options.fallback !== "function") {
    throw new TypeError(`${where}: fallback has to be a function that takes a Request and returns a Response`);
  }
  for (const method of options.methods ?? []) {
    refuseUnknownOptions(`${where}: methods`, method, ["of", "successStatus"]);
    checkWholeNumber(`${where}: methods`, "successStatus", method.successStatus, 200, 299);
  }
  if (options.sse !== undefined) refuseUnknownOptions(`${where}: sse`, options.sse, ["idOf"]);
  if (options.webSockets !== undefined && typeof (options.webSockets as Partial<WebSockets>).open !== "function") {
    throw new TypeError(`${where}: webSockets has to be what createWebSockets of @tercel/gateway/websocket returns`);
  }
  if (options.mcp !== undefined && typeof (options.mcp as Partial<McpFace>).serve !== "function") {
    throw new TypeError(`${where}: mcp has to be what createMcpFace of @tercel/gateway/mcp returns`);
  }
  if (options.trustProxy !== undefined) checkTrustProxy(options.trustProxy);
  if (options.openapi !== undefined) checkOpenApi(options.openapi);
  checkHttp1(options.http1);
  if (options.cors !== undefined) checkCors(options.cors);
}

function checkTrustProxy(trustProxy: unknown): void {
  if (!Array.isArray(trustProxy)) {
    throw new TypeError(`${where}: trustProxy has to be a list of addresses and networks, such as ["10.0.0.0/8"]`);
  }
  new TrustedProxies(trustProxy as readonly string[]);
}

function checkHttp1(http1: Partial<Http1Limits> = {}): void {
  const names = ["headTimeoutMs", "idleTimeoutMs", "minBodyBytesPerSecond", "stallTimeoutMs"] as const;
  refuseUnknownOptions(`${where}: http1`, http1, names);
  for (const name of names) checkWholeNumber(`${where}: http1`, name, http1[name], 1, Number.MAX_SAFE_INTEGER);
}

function checkCors(cors: CorsOptions): void {
  refuseUnknownOptions(`${where}: cors`, cors, ["origins", "credentials", "maxAgeSeconds", "exposeHeaders"]);
  checkWholeNumber(`${where}: cors`, "maxAgeSeconds", cors.maxAgeSeconds, 0, 86_400);
  const { origins, credentials } = cors;
  if (origins === "*" && credentials === true) {
    throw new TypeError(`${where}: cors allows every origin with credentials; name the origins instead`);
  }
  if (origins === "*" || typeof origins === "function") return;
  if (!Array.isArray(origins)) {
    throw new TypeError(`${where}: cors: origins has to be a list of origins, a function, or "*"`);
  }
  for (const origin of origins as readonly string[]) {
    if (originPattern.test(origin)) continue;
    const shown = JSON.stringify(origin);
    throw new TypeError(`${where}: cors: ${shown} is not an origin such as https://app.example.com, without a path`);
  }
}

const originPattern = /^[a-z][a-z0-9+.-]*:\/\/[^/\s]+$/;

function checkOneOf(name: string, value: string, allowed: readonly string[]): void {
  if (allowed.includes(value)) return;
  const names = allowed.map((one) => JSON.stringify(one)).join(", ");
  throw new TypeError(`${where}: ${name} is ${JSON.stringify(value)}; it has to be one of ${names}`);
}
