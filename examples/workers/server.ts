import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createServer } from "@tercel/grpc";
import { createHealth, createReflection } from "@tercel/grpc/services";
import { createMetricsHandler, createRegistry, createServerMetrics, shareMetrics } from "@tercel/interceptors/metrics";
import { runWorkers, workerNumber } from "@tercel/service/workers";

// Both the parent and the workers create these. The parent runs this file to its end, and each worker runs the setup.
const registry = createRegistry();
const metrics = shareMetrics(registry);

const outcome = await runWorkers(
  async (life) => {
    const scraped = await life.start(
      "metrics",
      async () => {
        const http = createHttpServer(createMetricsHandler(metrics));
        await once(http.listen(Number(process.env.METRICS_PORT ?? 9464), "127.0.0.1"), "listening");
        return http;
      },
      (http) => {
        http.close();
        http.closeAllConnections();
      },
    );
    const health = createHealth();
    const server = createServer({
      interceptors: [createServerMetrics({ registry })],
      routes(router) {
        health.routes(router);
        createReflection({ services: [health.service] }).routes(router);
      },
    });
    await life.serve(server, { port: Number(process.env.PORT ?? 50051) }, { health });
    console.log(`worker ${workerNumber()}: metrics of all on port ${(scraped.address() as AddressInfo).port}`);
  },
  {
    workers: 2,
    shared: [metrics],
    onReady: ([address]) => console.log(`listening on ${address?.host}:${address?.port}`),
  },
);
console.log(`stopped for ${outcome.reason}`);
process.exit(outcome.exitCode);
