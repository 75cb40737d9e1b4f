import { reflectionServices } from "@tercel/grpc/services";
import type { Registry } from "@tercel/interceptors/metrics";
import type { ServerStackOptions } from "@tercel/interceptors/stack";
import { toCallLog, toFrameworkLog } from "../log/framework-log.ts";
import type { Log } from "../log/json-log.ts";

/** Services whose calls are no work of ours: asked by tools and balancers, and not logged while they end well. */
const notLogged = [
  "grpc.health.v1.Health/*",
  ...reflectionServices.map(({ typeName }) => `${typeName}/*` as const),
] as const;

/** How every service of the shop observes its calls, in addition to what a stack has by default. */
export function observedCalls(log: Log, registry: Registry): Pick<ServerStackOptions, "log" | "logging" | "metrics"> {
  return {
    log: toFrameworkLog(log, "interceptor"),
    logging: { log: toCallLog(log), ignore: notLogged },
    metrics: { registry },
  };
}
