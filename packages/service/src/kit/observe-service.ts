import type { Lifecycle } from "../lifecycle/lifecycle-contract.ts";
import { createHttpOnGrpcPort, type HttpOnGrpcPort } from "./http-on-grpc-port.ts";
import { createObservationHandler, listenForObservers, type ObservedPages } from "./observation.ts";
import type { ListenOn, RunConfig } from "./run-config.ts";
import type { ServiceHealth } from "./service-health.ts";
import type { Surroundings } from "./surroundings.ts";

/** The pages of a service that share a place. */
interface ObservedPlace {
  readonly at: ListenOn;
  readonly pages: ObservedPages;
}

/** Which pages are served where, a listener for each place. Pure. */
export function observedPlaces({ http, metrics }: Pick<RunConfig, "http" | "metrics">): readonly ObservedPlace[] {
  if (http !== undefined && metrics !== undefined && isSamePlace(http, metrics)) {
    return [{ at: http, pages: { health: true, metrics: true } }];
  }
  return [
    ...(http === undefined ? [] : [{ at: http, pages: { health: true, metrics: metrics === undefined } }]),
    // Who scrapes the metrics may ask for the health, too.
    ...(metrics === undefined ? [] : [{ at: metrics, pages: { health: true, metrics: true } }]),
  ];
}

/** Port 0 is another one each time. */
function isSamePlace(one: ListenOn, other: ListenOn): boolean {
  return one.port !== 0 && one.port === other.port;
}

/**
 * Serves `/health`, `/ready` and `/metrics` where the configuration says. What is to be served on the port of gRPC is returned: an HTTP server for the
 * connections that speak HTTP/1.1 there.
 */
export async function observeService(
  life: Lifecycle,
  config: RunConfig,
  health: ServiceHealth,
  { shownMetrics, log }: Surroundings,
): Promise<HttpOnGrpcPort | undefined> {
  let onGrpcPort: HttpOnGrpcPort | undefined;
  const { listen } = config.grpc;
  const metricsPath = config.metrics?.path ?? "/metrics";
  for (const { at, pages } of observedPlaces(config)) {
    const handler = createObservationHandler(pages, health, { source: shownMetrics, path: metricsPath });
    if (isSamePlace(listen, at)) {
      onGrpcPort = createHttpOnGrpcPort(handler);
      continue;
    }
    const { host, port } = await life.start(
      `HTTP on port ${at.port}`,
      () => listenForObservers(handler, at),
      (server) => server.close(),
    );
    log.info("pages are served", {
      at: `http://${host}:${port}`,
      pages: ["/health", "/ready", ...(pages.metrics ? [metricsPath] : [])],
    });
  }
  return onGrpcPort;
}
