import { createServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Shared } from "@tercel/grpc/internal";
import { createMetricsHandler, type MetricsPart, type Registry } from "@tercel/interceptors/metrics";
import type { ListenOn } from "./run-config.ts";
import type { ServiceHealth } from "./service-health.ts";

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** Which pages are served where. */
export interface ObservedPages {
  readonly health: boolean;
  readonly metrics: boolean;
}

/** `GET /health`, `GET /ready` and the metrics; everything else is 404. */
export function createObservationHandler(
  pages: ObservedPages,
  health: ServiceHealth,
  metrics: { readonly source: Registry | Shared<MetricsPart>; readonly path: string },
): Handler {
  const metricsHandler = createMetricsHandler(metrics.source);
  return (request, response) => {
    const path = (request.url ?? "").split("?", 1)[0];
    if (pages.metrics && path === metrics.path) {
      void metricsHandler(request, response);
      return;
    }
    request.resume();
    if (!pages.health || (path !== "/health" && path !== "/ready")) {
      response.writeHead(404, { "content-type": "text/plain; charset=utf-8" }).end("not found\n");
      return;
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.writeHead(405, { allow: "GET, HEAD" }).end();
      return;
    }
    const { status, body } = healthPage(health);
    const text = `${JSON.stringify(body)}\n`;
    response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
    response.end(request.method === "HEAD" ? undefined : text);
  };
}

/** 200 while the service wants calls, else 503 with the reasons. */
function healthPage(health: ServiceHealth): { readonly status: number; readonly body: object } {
  const isReady = health.health.status("") === "SERVING";
  const warnings = health.warnings();
  return {
    status: isReady ? 200 : 503,
    body: {
      status: isReady ? "SERVING" : "NOT_SERVING",
      ...(!isReady && { reasons: health.reasons() }),
      ...(warnings.length > 0 && { warnings }),
    },
  };
}

/** An HTTP server that listens. */
export interface ObservationServer {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Rejects when it cannot listen. */
export async function listenForObservers(handler: Handler, { host, port }: ListenOn): Promise<ObservationServer> {
  const server: HttpServer = createServer(handler);
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
      // Scrapers keep their connections; a page is written in one piece, so nothing is cut off.
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
