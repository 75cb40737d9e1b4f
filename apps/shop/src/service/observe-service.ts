import type { Health } from "@tercel/grpc/services";
import { observeProcess, observeServer, type Registry } from "@tercel/interceptors/metrics";
import { joinHostPort, type Settings } from "../config/settings.ts";
import type { Log } from "../log/json-log.ts";
import type { ListeningServer } from "./listen-with-services.ts";
import { serveObservation } from "./observation-endpoint.ts";

/** What operators see of a service that listens. */
export interface Observed {
  readonly registry: Registry;
  readonly health: Health;
  /** Whose readiness it is, by its full name in the health service. */
  readonly serviceName: string;
  readonly portSetting: "metricsPort" | "orderMetricsPort";
  readonly listening: ListeningServer;
}

/** Serves the metrics and the readiness of a service and of its process; the log tells where. */
export async function observeService(
  { registry, health, serviceName, portSetting, listening }: Observed,
  settings: Settings,
  log: Log,
): Promise<{ close(): Promise<void> }> {
  const endpoint = await serveObservation(settings, portSetting, registry, health, serviceName);
  const observations = [observeProcess(registry), observeServer(registry, listening.server)];
  log.info("observable", { address: joinHostPort(endpoint.address.host, endpoint.address.port) });
  return {
    async close() {
      for (const stopObserving of observations) stopObserving();
      await endpoint.close();
    },
  };
}
