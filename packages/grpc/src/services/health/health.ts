import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, type ConnectRouter, type HandlerContext } from "@connectrpc/connect";
import {
  type HealthCheckResponse,
  HealthCheckResponse_ServingStatus,
  HealthCheckResponseSchema,
  Health as HealthService,
} from "../../gen/grpc/health/v1/health_pb.ts";
import { createLatestValue, type LatestValue } from "./latest-value.ts";

/** What a service can be reported as. `SERVICE_UNKNOWN` is what Watch tells of services that were never set. */
export type ServingStatus = "UNKNOWN" | "SERVING" | "NOT_SERVING";

/** The health of a server and its services, as load balancers and orchestrators ask for it (grpc.health.v1.Health). */
export interface Health {
  /**
   * Sets the status of a service by its full name and tells everyone who watches it. "" is the server as a whole. After
   * `shutdown` this changes nothing.
   */
  setStatus(service: string, status: ServingStatus): void;

  /** The status of a service; `undefined` if it was never set. */
  status(service: string): ServingStatus | undefined;

  /** Reports everything as NOT_SERVING from now on, so that balancers send calls elsewhere before the server drains. */
  shutdown(): void;

  /** The descriptor of grpc.health.v1.Health, for reflection and for clients. */
  readonly service: typeof HealthService;

  /** Registers grpc.health.v1.Health with a router. */
  readonly routes: (router: ConnectRouter) => void;
}

/** Services that List tells at most (the public definition of List sets this number). */
export const maxListedServices = 100;

/** A health service that knows one entry: the server as a whole, which is SERVING. */
export function createHealth(): Health {
  const statuses = new Map<string, ServingStatus>([["", "SERVING"]]);
  // Entries exist only while somebody watches, because callers choose these names freely.
  const watchers = new Map<string, Set<LatestValue<ServingStatus>>>();
  let isShutDown = false;

  function change(service: string, status: ServingStatus): void {
    if (statuses.get(service) === status) return;
    statuses.set(service, status);
    for (const watcher of watchers.get(service) ?? []) watcher.set(status);
  }

  function check(service: string): HealthCheckResponse {
    const status = statuses.get(service);
    if (status === undefined) throw new ConnectError("unknown service", Code.NotFound);
    return toResponse(status);
  }

  function list(): { statuses: Record<string, HealthCheckResponse> } {
    if (statuses.size > maxListedServices) {
      throw new ConnectError(
        `${statuses.size} services are registered, but at most ${maxListedServices} can be listed`,
        Code.ResourceExhausted,
      );
    }
    return { statuses: Object.fromEntries(Array.from(statuses, ([name, status]) => [name, toResponse(status)])) };
  }

  async function* watch(service: string, signal: AbortSignal): AsyncGenerator<HealthCheckResponse> {
    const watcher = createLatestValue<ServingStatus>(signal);
    const others = watchers.get(service) ?? new Set();
    watchers.set(service, others.add(watcher));
    try {
      let told = statuses.get(service);
      yield toResponse(told);
      for (;;) {
        const status = await watcher.next();
        if (status === undefined) return;
        // A slow watcher may have missed a change and its reversal.
        if (status === told) continue;
        told = status;
        yield toResponse(status);
      }
    } finally {
      watcher.close();
      others.delete(watcher);
      if (others.size === 0) watchers.delete(service);
    }
  }

  return {
    setStatus(service, status) {
      if (!isShutDown) change(service, status);
    },
    service: HealthService,
    status: (service) => statuses.get(service),
    shutdown() {
      isShutDown = true;
      for (const service of statuses.keys()) change(service, "NOT_SERVING");
    },
    routes(router) {
      router.service(HealthService, {
        check: (request) => check(request.service),
        list,
        watch: (request, context: HandlerContext) => watch(request.service, context.signal),
      });
    },
  };
}

function toResponse(status: ServingStatus | undefined): HealthCheckResponse {
  return create(HealthCheckResponseSchema, {
    status: HealthCheckResponse_ServingStatus[status ?? "SERVICE_UNKNOWN"],
  });
}
