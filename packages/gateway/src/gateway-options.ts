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

/** A protocol next to gRPC. */
export type GatewayProtocol = "connect" | "grpc-web" | "rest";

/** What a method has over REST that its rule does not say. */
export interface RestMethod {
  /** The method, as `package.Service/Method` or its descriptor, or several. */
  readonly of: string | DescMethod | readonly (string | DescMethod)[];
  /** The HTTP status of a success, from 200 to 299. Default 200. A handler that calls `setHttpStatus` has the last word. */
  readonly successStatus?: number;
}

export interface GatewayOptions {
  /** What is served next to gRPC. Default: all three. */
  readonly protocols?: readonly GatewayProtocol[];
  /** Which web pages may call from a browser. Default: those of the server's own origin alone. */
  readonly cors?: CorsOptions;
  /** HTTP rules by `selector`, as a service config has them; each replaces those of its method's proto. Default: none. */
  readonly rules?: readonly MessageInitShape<typeof HttpRuleSchema>[];
  /** Default: every success is 200. */
  readonly methods?: readonly RestMethod[];
  /**
   * What becomes of query parameters that no field has the name of: refused, with the nearest name, so that a misspelt filter does not return
   * everything; ignored; or ignored where one of these names fits (`utm_*`). Default "error".
   */
  readonly unknownQuery?: "error" | "ignore" | readonly string[];
  /** The form of errors over REST: Google's (AIP-193), that of google.rpc.Status, or a function that makes it. Default "aip". */
  readonly errorBody?: "aip" | "status" | ((error: ConnectError, httpStatus: number) => JsonValue);
  /** The domain of the ErrorInfo in errors that the gateway makes itself. Default "tercel.dev". */
  readonly errorDomain?: string;
  /** What a server stream is over REST where the client does not say: lines of JSON, or one array as Google's APIs have it. Default "ndjson". */
  readonly defaultStream?: "ndjson" | "array";
  /** For server-sent events. `idOf` names the event that a reconnecting client continues after; default: the field `resume_token`. */
  readonly sse?: { readonly idOf?: (message: Message) => string | undefined };
  /** ETags are the response's field `etag`; with "body" responses without one have a hash of their bytes. Default "field". */
  readonly etag?: "field" | "body";
  /** For unary calls over REST whose client names no timeout. Default 60,000. */
  readonly defaultTimeoutMs?: number;
  /** The description of the REST API, and a page that shows it. Default: neither. */
  readonly openapi?: OpenApiServing;
  /**
   * Serves requests that are not the gateway's: a web page, metrics. A path that begins with the name of a service never gets here, and what it
   * gets has no segments of dots. Default: 404.
   */
  readonly fallback?: Fallback;
  /** How slow HTTP/1.1 clients may be. */
  readonly http1?: Partial<Http1Limits>;
  /**
   * Serves streaming methods over WebSockets as well: `createWebSockets()` of `@tercel/gateway/websocket`. Browsers may open them from the
   * server's own origin, and from those of `cors`. Default: none are served.
   */
  readonly webSockets?: WebSockets;
  /** Serves methods as tools of the Model Context Protocol: `createMcpFace()` of `@tercel/gateway/mcp`. Default: none. */
  readonly mcp?: McpFace;
  /**
   * Proxies whose `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Forwarded-Host` say who the client is: addresses, networks (`10.0.0.0/8`), and
   * "unix" for Unix sockets. From anyone else such fields are dropped, because clients can write them as well. Default: none.
   */
  readonly trustProxy?: readonly string[];
}

const optionNames: readonly (keyof GatewayOptions)[] = [
  ...(["protocols", "cors", "rules", "methods", "unknownQuery", "errorBody", "errorDomain", "defaultStream"] as const),
  ...(["sse", "etag", "defaultTimeoutMs", "openapi", "fallback", "http1", "webSockets", "mcp", "trustProxy"] as const),
];

const protocolNames: readonly GatewayProtocol[] = ["connect", "grpc-web", "rest"];
const where = "createGateway";

/** @throws TypeError or RangeError that names the option and what it may be */
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
