import type { DescService } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { createServer } from "@tercel/grpc";
import { createHealth, createReflection } from "@tercel/grpc/services";
import type { Log } from "../log/json-log.ts";
import { createReportFailures } from "./report-failures.ts";
import type { RunningService } from "./run-service.ts";

/** How long calls under way may take to end once a stop was asked for; the supervisor waits a little longer. */
const drainDeadlineMs = 10_000;

/** Listens with one service of the shop, and with health and reflection beside it, as every service here has them. */
export async function listenWithServices<Service extends DescService>(
  service: Service,
  handler: ServiceImpl<Service>,
  host: string,
  port: number,
  log: Log,
): Promise<RunningService> {
  const health = createHealth();
  const reflection = createReflection({ services: [service, health.service] });
  const server = createServer({
    routes(router) {
      router.service(service, handler, { interceptors: [createReportFailures(log)] });
      health.routes(router);
      reflection.routes(router);
    },
  });
  const address = await server.listen({ host, port });
  health.setStatus(service.typeName, "SERVING");
  return {
    address,
    async close() {
      // Whoever asks now is sent elsewhere before the connections go.
      health.shutdown();
      await server.close({ deadlineMs: drainDeadlineMs });
    },
  };
}
