import type { Lifecycle } from "../../lifecycle/lifecycle-contract.ts";
import type { ServiceHealth } from "../dependencies/service-health.ts";
import type { Surroundings } from "../run/surroundings.ts";
import type { ListenOn, RunConfig } from "../run-config/run-config.ts";
import { isSamePlace } from "../run-config/same-place.ts";
import { type AnswerPage, createPages, listenForObservers, type ObservedPages } from "./observation.ts";

/** The pages of a service that share an address. */
interface ObservedPlace {
  readonly at: ListenOn;
  readonly pages: ObservedPages;
}

/** Returns the pages of each listener. */
export function observedPlaces({ http, metrics }: Pick<RunConfig, "http" | "metrics">): readonly ObservedPlace[] {
  if (http !== undefined && metrics !== undefined && isSamePlace(http, metrics)) {
    return [{ at: http, pages: { health: true, metrics: true } }];
  }
  return [
    ...(http === undefined ? [] : [{ at: http, pages: { health: true, metrics: metrics === undefined } }]),
    // The metrics port also serves the health pages.
    ...(metrics === undefined ? [] : [{ at: metrics, pages: { health: true, metrics: true } }]),
  ];
}

/** The pages on ports with calls. */
export interface PagesWithCalls {
  /** Pages on gRPC's port. */
  readonly onGrpcPort?: AnswerPage;
  /** Pages on the HTTP port, if the gateway has its own port. */
  readonly onHttpPort?: AnswerPage;
}

/**
 * Serves `/health`, `/ready` and `/metrics` as configured. Returns the pages for ports with calls, which share a listener.
 */
export async function observeService(
  life: Lifecycle,
  config: RunConfig,
  health: ServiceHealth,
  { shownMetrics, log }: Surroundings,
): Promise<PagesWithCalls> {
  let withCalls: PagesWithCalls = {};
  const { listen } = config.grpc;
  const metricsPath = config.metrics?.path ?? "/metrics";
  for (const { at, pages } of observedPlaces(config)) {
    const answer = createPages(pages, health, { source: shownMetrics, path: metricsPath });
    if (isSamePlace(listen, at)) {
      withCalls = { ...withCalls, onGrpcPort: answer };
      continue;
    }
    if (config.gateway !== undefined && at === config.http) {
      withCalls = { ...withCalls, onHttpPort: answer };
      continue;
    }
    const { host, port } = await life.start(
      `HTTP on port ${at.port}`,
      () => listenForObservers(answer, at),
      (server) => server.close(),
    );
    log.info("serving pages", {
      at: `http://${host}:${port}`,
      pages: ["/health", "/ready", ...(pages.metrics ? [metricsPath] : [])],
    });
  }
  return withCalls;
}
