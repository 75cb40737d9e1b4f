import { create, type DescMethod, type JsonObject, type Message } from "@bufbuild/protobuf";
import type { Gateway, GatewayHost } from "@tercel/grpc/protocols";
import { isForeignOrigin } from "./calls/foreign-origin.ts";
import { Cors } from "./cors.ts";
import { checkGatewayOptions, type GatewayOptions } from "./gateway-options.ts";
import { HttpRuleSchema } from "./gen/google/api/http_pb.ts";
import { defaultHttp1Limits } from "./http/http1-limits.ts";
import { Http1Server } from "./http/http1-server.ts";
import { createOpenApi } from "./openapi/create-openapi.ts";
import { findDocument } from "./openapi/load-document.ts";
import { readComments } from "./openapi/proto-comments.ts";
import { createStaticPages, type LoadPage } from "./openapi/static-pages.ts";
import { JsonHeads } from "./rest/json-heads.ts";
import { restCompressions } from "./rest/rest-compressions.ts";
import type { RestSettings } from "./rest/rest-settings.ts";
import { RequestRouter } from "./routing/request-router.ts";
import { TrustedProxies } from "./routing/trusted-proxies.ts";
import { RestTable } from "./rules/rest-table.ts";
import { readSuccessStatuses } from "./success-statuses.ts";

const defaultTimeoutMs = 60_000;
const defaultErrorDomain = "tercel.dev";

/**
 * Serves a server's methods by REST, Connect and gRPC-Web on its own port, with the same handlers and interceptors:
 * `createServer({ routes, gateway: createGateway() })`.
 *
 * @throws TypeError or RangeError for an option that cannot be used. Rules that do not fit their methods are errors of `createServer`
 */
export function createGateway(options: GatewayOptions = {}): Gateway {
  checkGatewayOptions(options);
  return {
    attach(host) {
      const router = createRouter(host, options);
      const http1Server = new Http1Server({
        clock: host.clock,
        limits: { ...defaultHttp1Limits, ...options.http1 },
        onExchange: (exchange) => router.serve(exchange),
        onUpgrade: options.webSockets === undefined ? undefined : (...upgrade) => router.serveUpgrade(...upgrade),
        onFault: (error) => host.log.error("the gateway failed to serve a request", { error }),
        onCutOff: (reason, peer) => host.log.warn("an HTTP/1.1 connection was cut off", { reason, peer }),
      });
      return {
        http1Server,
        serve: (exchange) => router.serve(exchange),
        get openConnections() {
          return http1Server.openConnections;
        },
        close: (deadlineMs) => http1Server.close(deadlineMs),
      };
    },
  };
}

function createRouter(host: GatewayHost, options: GatewayOptions): RequestRouter {
  const methods = host.services.flatMap((service) => service.methods);
  const served = methods.filter(
    (method) => host.methods.find(`/${method.parent.typeName}/${method.name}`) !== undefined,
  );
  checkTools(options, served);
  const rules = (options.rules ?? []).map((rule) => create(HttpRuleSchema, rule));
  const table = new RestTable(served, rules);
  const statuses = readSuccessStatuses(options.methods ?? [], served);
  const cors = options.cors === undefined ? undefined : new Cors(options.cors);
  const compressions = restCompressions(host.compressions);
  const settings: RestSettings = {
    unknownQuery: options.unknownQuery ?? "error",
    errorBody: options.errorBody ?? "aip",
    errorDomain: options.errorDomain ?? defaultErrorDomain,
    defaultStream: options.defaultStream ?? "ndjson",
    idOf: options.sse?.idOf ?? resumeTokenOf,
    successStatusOf: (method) => statuses.get(method) ?? 200,
    etag: options.etag ?? "field",
    defaultTimeoutMs: options.defaultTimeoutMs ?? defaultTimeoutMs,
    compressions,
    jsonHeads: new JsonHeads(compressions.length > 0),
    webSockets: options.webSockets,
    isForeign: (head) => isForeignOrigin(head, (origin) => cors?.allows(origin) === true),
  };
  const proxies = new TrustedProxies(options.trustProxy ?? []);
  return new RequestRouter({
    host,
    options,
    table,
    settings,
    cors,
    proxies,
    pages: createPages(options, table, settings),
  });
}

function createPages(
  { openapi, errorBody = "aip", webSockets }: GatewayOptions,
  { bindings }: RestTable,
  { successStatusOf }: RestSettings,
): ReadonlyMap<string, LoadPage> {
  if (openapi === undefined) return new Map();
  const { descriptorSet } = openapi;
  const errorForm = typeof errorBody === "function" ? "own" : errorBody;
  const hasWebSockets = webSockets !== undefined;
  const create = (): JsonObject => {
    const comments = descriptorSet === undefined ? new Map() : readComments(descriptorSet);
    return createOpenApi({ bindings, comments, info: openapi, successStatusOf, errorForm, hasWebSockets });
  };
  return createStaticPages(findDocument(openapi, create), openapi);
}

/** @throws TypeError for a tool whose method the server does not have */
function checkTools({ mcp }: GatewayOptions, served: readonly DescMethod[]): void {
  for (const method of mcp?.methods ?? []) {
    if (served.includes(method)) continue;
    throw new TypeError(
      `createGateway: mcp has the tool ${method.parent.typeName}/${method.name}, which this server does not serve`,
    );
  }
}

/** The field that streams are resumed by, where the messages have it. */
function resumeTokenOf(message: Message): string | undefined {
  const { resumeToken } = message as { readonly resumeToken?: unknown };
  return typeof resumeToken === "string" ? resumeToken : undefined;
}
