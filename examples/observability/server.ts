import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Code, ConnectError } from "@connectrpc/connect";
import { createServer } from "@tercel/grpc";
import { createLogger, createServerLogging, logOf } from "@tercel/interceptors/logging";
import {
  createMetricsHandler,
  createRegistry,
  createServerMetrics,
  observeProcess,
  observeServer,
} from "@tercel/interceptors/metrics";
import { createRecovery } from "@tercel/interceptors/recovery";
import { createServerRequestId } from "@tercel/interceptors/request-id";
import { createServerTracing } from "@tercel/interceptors/tracing";
import { HelloService } from "../hello/gen/hello/v1/hello_pb.ts";
import { printSpans } from "./print-spans.ts";

const tracing = printSpans();
const logger = createLogger({ service: "hello" });
const registry = createRegistry();

const callMetrics = createServerMetrics({ registry });
const server = createServer({
  log: logOf(logger),
  onUnhandledCall: callMetrics.countUnhandled,
  // From the outside in: what is further in sees the request id and the span, and what is further out sees the error that recovery made.
  interceptors: [
    createServerRequestId(),
    createServerTracing(),
    callMetrics,
    createServerLogging({ logger }),
    createRecovery({ log: logOf(logger) }),
  ],
  routes(router) {
    router.service(HelloService, {
      sayHello({ name }) {
        if (name === "") throw new ConnectError("name is empty", Code.InvalidArgument);
        if (name === "bug") throw new TypeError("no one has thought of this");
        return { greeting: `Hello, ${name}!` };
      },
      async *countdown({ from }) {
        for (let number = from; number > 0; number--) yield { number };
      },
    });
  },
});
const stops = [observeProcess(registry), observeServer(registry, server)];
const metrics = createHttpServer(createMetricsHandler(registry));

const { host, port } = await server.listen({ port: Number(process.env.PORT ?? 50051) });
metrics.listen(Number(process.env.METRICS_PORT ?? 9464), "127.0.0.1", () => {
  logger.info({ target: `${host}:${port}`, metricsPort: (metrics.address() as AddressInfo).port }, "listening");
});

process.once("SIGINT", async () => {
  await server.close();
  metrics.close();
  metrics.closeAllConnections();
  for (const stop of stops) stop();
  await tracing.shutdown();
});
