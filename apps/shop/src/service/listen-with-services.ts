import type { DescService } from "@bufbuild/protobuf";
import type { ConnectRouter } from "@connectrpc/connect";
import { createServer, type Server } from "@tercel/grpc";
import { errorDetailFiles } from "@tercel/grpc/errors";
import { createReflection, type Health } from "@tercel/grpc/services";
import type { ServerStack } from "@tercel/interceptors/stack";
import type { Settings } from "../config/settings.ts";
import { toFrameworkLog } from "../log/framework-log.ts";
import type { Log } from "../log/json-log.ts";
import type { RunningService } from "./run-service.ts";
import { serverLimits } from "./server-limits.ts";

/** How long calls under way may take to end once a stop was asked for; the supervisor waits a little longer. */
const drainDeadlineMs = 10_000;

/** What a process of the shop serves, next to health and reflection. */
export interface Served {
  readonly services: readonly DescService[];
  readonly routes: (router: ConnectRouter) => void;
  readonly serverOptions: ServerStack["serverOptions"];
  readonly health: Health;
}

/** A server that listens. */
export interface ListeningServer extends RunningService {
  readonly server: Server;
}

/** Listens with services of the shop. They are SERVING once the first checks of the health have ended well. */
export async function listenWithServices(
  served: Served,
  settings: Settings,
  port: number,
  log: Log,
): Promise<ListeningServer> {
  const { services, routes, serverOptions, health } = served;
  const reflection = createReflection({ services: [...services, health.service], files: errorDetailFiles });
  const server = createServer({
    routes(router) {
      routes(router);
      health.routes(router);
      if (settings.reflection) reflection.routes(router);
    },
    ...serverOptions,
    exposeDebugInfo: settings.environment === "development",
    log: toFrameworkLog(log, "server"),
    ...serverLimits(settings),
  });
  for (const service of services) health.setStatus(service.typeName, "SERVING");
  await health.start();
  const address = await server.listen({ host: settings.host, port });
  return {
    server,
    address,
    async close() {
      // Whoever asks now is sent elsewhere before the connections go.
      health.shutdown();
      health.endWatches();
      await server.close({ deadlineMs: drainDeadlineMs });
    },
  };
}
