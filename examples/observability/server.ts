import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Code, ConnectError } from "@connectrpc/connect";
import { createServer } from "@tercel/grpc";
import { createLog } from "@tercel/interceptors/logging";
import { createMetricsHandler, createRegistry, observeProcess, observeServer } from "@tercel/interceptors/metrics";
import { createServerStack } from "@tercel/interceptors/stack";
import { HelloService } from "../hello/gen/hello/v1/hello_pb.ts";
import { printSpans } from "./print-spans.ts";

const tracing = printSpans();
const log = createLog({ service: "hello" });
const registry = createRegistry();

// Request ids, tracing, recovery and deadlines are on by default.
const stack = await createServerStack({ metrics: { registry }, logging: true, log });
const server = createServer({
  ...stack.serverOptions,
  log,
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
  log.info("listening", { target: `${host}:${port}`, metricsPort: (metrics.address() as AddressInfo).port });
});

process.once("SIGINT", async () => {
  await server.close();
  stack.close();
  metrics.close();
  metrics.closeAllConnections();
  for (const stop of stops) stop();
  await tracing.shutdown();
});
