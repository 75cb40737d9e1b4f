import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Health } from "@tercel/grpc/services";
import { createMetricsHandler, type Registry } from "@tercel/interceptors/metrics";
import { waysToSet } from "../config/read-settings.ts";
import type { Settings } from "../config/settings.ts";
import { explainStartFailure } from "./explain-start-failure.ts";

/** What operators read by HTTP: the metrics, and whether the service is ready and if not, why. */
export interface ObservationEndpoint {
  readonly address: { readonly host: string; readonly port: number };
  close(): Promise<void>;
}

/**
 * Serves `/metrics` for Prometheus and `/ready`: 200 or 503, with what the service depends on and what is wrong with it.
 *
 * @param serviceName Whose readiness it is, by its full name in the health service.
 */
export async function serveObservation(
  settings: Settings,
  portSetting: "metricsPort" | "orderMetricsPort",
  registry: Registry,
  health: Pick<Health, "status" | "dependencies">,
  serviceName: string,
): Promise<ObservationEndpoint> {
  const metrics = createMetricsHandler(registry);
  const server = createServer((request, response) => {
    const [path] = (request.url ?? "").split("?");
    if (path === "/metrics") metrics(request, response);
    else if (path === "/ready") tellReadiness(response, health, serviceName);
    else
      response.writeHead(404, { "content-type": "text/plain; charset=utf-8" }).end("there are /metrics and /ready\n");
  });
  const where = { host: settings.metricsHost, port: settings[portSetting] };
  server.listen(where);
  try {
    await once(server, "listening");
  } catch (error) {
    throw new Error(`metrics: ${explainStartFailure(error, where.host, where.port, waysToSet(portSetting))}`);
  }
  const { address: host, port } = server.address() as AddressInfo;
  return { address: { host, port }, close: () => close(server) };
}

function tellReadiness(response: ServerResponse, health: Pick<Health, "status" | "dependencies">, name: string): void {
  const status = health.status(name) ?? "UNKNOWN";
  const dependencies = health
    .dependencies()
    .map((one) => ({ name: one.name, state: one.state, required: one.required, problem: one.problem }));
  response.writeHead(status === "SERVING" ? 200 : 503, { "content-type": "application/json" });
  response.end(`${JSON.stringify({ status, dependencies }, undefined, 2)}\n`);
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    // A scraper keeps its connection.
    server.closeAllConnections();
  });
}
