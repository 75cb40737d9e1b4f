import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { createMetricsHandler, type Registry } from "@tercel/interceptors/metrics";
import { StartError } from "../failure/start-error.ts";

/** This machine only: the figures need no token, and say a lot. */
const host = "127.0.0.1";

/**
 * Serves `/metrics` for Prometheus.
 *
 * @throws StartError when the port cannot be had
 */
export async function serveMetrics(registry: Registry, port: number): Promise<Server> {
  const answer = createMetricsHandler(registry);
  const server = createServer((request, response) => {
    if (request.url?.split("?", 1)[0] === "/metrics") void answer(request, response);
    else response.writeHead(404, { "content-type": "text/plain; charset=utf-8" }).end("the metrics are at /metrics\n");
  });
  server.listen(port, host);
  try {
    await once(server, "listening");
  } catch (error) {
    const { message } = error as Error;
    throw new StartError("config", `cannot listen on service.server.metricsPort ${port}: ${message}`, error);
  }
  return server;
}

/** Ends scrapes too: one that hangs must not keep the daemon. */
export async function closeMetrics(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}
