import type { Interceptor } from "@connectrpc/connect";
import { reflectionServices } from "@tercel/grpc/services";
import { createServerLogging } from "@tercel/interceptors/logging";
import { createServerMetrics, type Registry } from "@tercel/interceptors/metrics";
import { createRecovery } from "@tercel/interceptors/recovery";
import { createServerRequestId } from "@tercel/interceptors/request-id";
import { createServerTracing } from "@tercel/interceptors/tracing";
import { toCallLogger, toFrameworkLog } from "../log/framework-log.ts";
import type { Log } from "../log/json-log.ts";

/** Services whose calls are no work of ours: asked by tools and balancers, and not logged while they end well. */
const notLogged = ["grpc.health.v1.Health", ...reflectionServices.map(({ typeName }) => typeName)];

/**
 * What every service of the shop has around all else. They see the status that the client gets, so whatever may refuse a call
 * belongs within.
 */
export function observedCalls(log: Log, registry?: Registry): Interceptor[] {
  return [
    // The id is in all that follows.
    createServerRequestId(),
    createServerLogging({ logger: toCallLogger(log), ignore: notLogged }),
    ...(registry === undefined ? [] : [createServerMetrics({ registry })]),
    createServerTracing(),
    createRecovery({ log: toFrameworkLog(log, "interceptor") }),
  ];
}
