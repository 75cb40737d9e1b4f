import { createServer, systemClock } from "@tercel/grpc";
import type { Shared } from "@tercel/grpc/internal";
import { createRegistry, type MetricsPart, type Registry } from "@tercel/interceptors/metrics";
import { createConsoleLog } from "../../logging/console-log.ts";
import type { LogConfig, RunConfig } from "../run-config/run-config.ts";
import type { Surroundings } from "./surroundings.ts";

/** Creates the production surroundings: sockets, the system's clock, and a log on standard output. */
export async function realSurroundings(
  { log, service }: RunConfig,
  metrics: Registry = createRegistry(),
  shownMetrics: Registry | Shared<MetricsPart> = metrics,
): Promise<Surroundings> {
  return {
    ...(await openLog(log, service.name)),
    clock: systemClock,
    metrics,
    shownMetrics,
    createServer,
  };
}

async function openLog(
  { type, level, format }: LogConfig,
  service: string,
): Promise<Pick<Surroundings, "log" | "setLogLevel">> {
  if (type === "pino") {
    const { openPinoLog } = await import("../../logging/pino-log.ts");
    return openPinoLog(service, level);
  }
  const log = createConsoleLog({ level, format, service });
  return {
    log,
    setLogLevel(changed) {
      log.level = changed;
    },
  };
}
