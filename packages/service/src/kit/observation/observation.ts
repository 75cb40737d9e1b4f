import { createServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Fallback } from "@tercel/gateway";
import type { Shared } from "@tercel/grpc/internal";
import { type MetricsPart, type Registry, renderMetrics } from "@tercel/interceptors/metrics";
import type { ServiceHealth } from "../dependencies/service-health.ts";
import type { ListenOn } from "../run-config/run-config.ts";

/** The pages at an address. */
export interface ObservedPages {
  readonly health: boolean;
  readonly metrics: boolean;
}

interface Page {
  readonly status: number;
  readonly fields: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Returns the response to a request of a probe or scraper; undefined for any other path. Does not reject. */
export type AnswerPage = (
  method: string,
  path: string,
  accept: string | null | undefined,
) => Page | Promise<Page> | undefined;

/** Creates the pages `GET /health`, `GET /ready` and the metrics. */
export function createPages(
  pages: ObservedPages,
  health: ServiceHealth,
  metrics: { readonly source: Registry | Shared<MetricsPart>; readonly path: string },
): AnswerPage {
  const isPage = (path: string): boolean =>
    (pages.metrics && path === metrics.path) || (pages.health && (path === "/health" || path === "/ready"));
  return (method, path, accept) => {
    if (!isPage(path)) return undefined;
    if (method !== "GET" && method !== "HEAD") return { status: 405, fields: { allow: "GET, HEAD" }, body: "" };
    return pages.metrics && path === metrics.path ? metricsPage(metrics.source, accept) : healthPage(health);
  };
}

async function metricsPage(source: Registry | Shared<MetricsPart>, accept: string | null | undefined): Promise<Page> {
  const { status, contentType, body } = await renderMetrics(source, accept);
  return { status, fields: { "content-type": contentType }, body };
}

/** Returns 200 while the service is ready, else 503 with the reasons. */
function healthPage(health: ServiceHealth): Page {
  const isReady = health.health.status("") === "SERVING";
  const warnings = health.warnings();
  return {
    status: isReady ? 200 : 503,
    fields: { "content-type": "application/json" },
    body: jsonText({
      status: isReady ? "SERVING" : "NOT_SERVING",
      ...(!isReady && { reasons: health.reasons() }),
      ...(warnings.length > 0 && { warnings }),
    }),
  };
}

function jsonText(value: object): string {
  return `${JSON.stringify(value)}\n`;
}

/** Creates a handler of the pages for Node's HTTP server; other paths are 404. */
export function createPageHandler(
  answer: AnswerPage,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (request, response) => {
    request.resume();
    const { method = "GET", url = "", headers } = request;
    const { status, fields, body } = (await answer(method, pathOf(url), headers.accept)) ?? notFound;
    response.writeHead(status, { ...fields, "content-length": Buffer.byteLength(body) });
    response.end(method === "HEAD" ? undefined : body);
  };
}

const notFound: Page = { status: 404, fields: { "content-type": "text/plain; charset=utf-8" }, body: "not found\n" };

function pathOf(url: string): string {
  return url.split("?", 1)[0] ?? "";
}

/** Creates a gateway's fallback: the pages, then the application's own fallback. Other paths are 404 in the form of Google's APIs (AIP-193). */
export function createPageFallback(answer: AnswerPage, own?: Fallback): Fallback {
  return async (request) => {
    const page = await answer(request.method, new URL(request.url).pathname, request.headers.get("accept"));
    if (page !== undefined) return new Response(page.body, { status: page.status, headers: page.fields });
    return own === undefined ? new Response(noRoute, { status: 404, headers: jsonType }) : own(request);
  };
}

const jsonType = { "content-type": "application/json", "cache-control": "no-store" } as const;
const noRoute = jsonText({
  error: { code: 404, message: "path not found", status: "NOT_FOUND", details: [] },
});

/** A listening HTTP server. */
export interface ObservationServer {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Listens for probes and scrapers. Rejects when it cannot listen. */
export async function listenForObservers(answer: AnswerPage, { host, port }: ListenOn): Promise<ObservationServer> {
  const handler = createPageHandler(answer);
  const server: HttpServer = createServer((request, response) => void handler(request, response));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const address = server.address() as AddressInfo;
  return {
    host: address.address,
    port: address.port,
    close() {
      // Scrapers keep their connections open; a page is written at once, so closing them truncates nothing.
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
