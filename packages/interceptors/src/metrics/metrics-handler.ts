import type { IncomingMessage, ServerResponse } from "node:http";
import type { Shared } from "@tercel/grpc/internal";
import { contentTypes, expositionOf } from "./exposition.ts";
import type { Family, Registry } from "./registry.ts";
import { familiesOf, type MetricsPart } from "./share-metrics.ts";

/**
 * Creates a request listener for scrapers, for `http.createServer`, or to call from a handler that has checked the path. Scrapers get
 * OpenMetrics if they accept it, and the Prometheus text format otherwise. Metrics reveal a lot about a service: do not serve them publicly.
 * With the result of `shareMetrics`, the page covers all workers, whichever of them serves it.
 */
export function createMetricsHandler(
  source: Registry | Shared<MetricsPart>,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (request, response) => {
    request.resume();
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.writeHead(405, { allow: "GET, HEAD" }).end();
      return;
    }
    const { status, contentType, body } = await renderMetrics(source, request.headers.accept);
    response.writeHead(status, { "content-type": contentType, "content-length": Buffer.byteLength(body) });
    response.end(request.method === "HEAD" ? undefined : body);
  };
}

/** The response to a scraper. */
export interface MetricsPage {
  /** 500 if collecting the metrics fails. */
  readonly status: 200 | 500;
  readonly contentType: string;
  readonly body: string;
}

/** Renders the metrics for a request with this `accept` header, for servers without `node:http` listeners. Never rejects. */
export async function renderMetrics(
  source: Registry | Shared<MetricsPart>,
  accept?: string | null,
): Promise<MetricsPage> {
  const format = acceptsOpenMetrics(accept ?? "") ? "openmetrics" : "prometheus";
  try {
    return { status: 200, contentType: contentTypes[format], body: expositionOf(await collect(source), format) };
  } catch {
    // For example a `beforeCollect` callback that throws. The scrape fails, and the service continues.
    return { status: 500, contentType: "text/plain; charset=utf-8", body: "the metrics cannot be read\n" };
  }
}

async function collect(source: Registry | Shared<MetricsPart>): Promise<readonly Family[]> {
  return "merge" in source ? familiesOf(await source.collect()) : source.collect();
}

/** Prometheus lists its preferred format first. A weight of 0 means not acceptable (RFC 9110 §12.4.2). */
function acceptsOpenMetrics(accept: string): boolean {
  for (const range of accept.split(",")) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    if (type === "application/openmetrics-text") return !parameters.some((one) => /^q=0(\.0*)?$/.test(one));
    if (type === "text/plain") return false;
  }
  return false;
}
