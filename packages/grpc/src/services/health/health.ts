import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, type ConnectRouter, type HandlerContext } from "@connectrpc/connect";
import {
  type HealthCheckResponse,
  HealthCheckResponse_ServingStatus,
  HealthCheckResponseSchema,
  Health as HealthService,
} from "../../gen/grpc/health/v1/health_pb.ts";
import type { Log } from "../../logging/log.ts";
import { safeLog } from "../../logging/safe-log.ts";
import { refuseUnknownOptions } from "../../options/check-options.ts";
import { type Clock, systemClock } from "../../time/clock.ts";
import { DependencyChecks, type DependencyReport, type HealthCheck } from "./dependency-checks.ts";
import { createLatestValue, type LatestValue } from "./latest-value.ts";

/** The status of a service. Watch reports `SERVICE_UNKNOWN` for services that were never set. */
export type ServingStatus = "UNKNOWN" | "SERVING" | "NOT_SERVING";

/** The health of a server and its services, for load balancers and orchestrators (grpc.health.v1.Health). */
export interface Health {
  /**
   * Sets the status of a service by its full name and notifies every watch of it. "" is the server as a whole. After
   * `shutdown` this changes nothing.
   */
  setStatus(service: string, status: ServingStatus): void;

  /**
   * The status of a service; `undefined` if it was never set. A service that is SERVING by itself is NOT_SERVING while a
   * dependency is missing that it requires.
   */
  status(service: string): ServingStatus | undefined;

  /** Tells the status of a service now and whenever it changes, one dependency's coming or going included. What is returned ends that. */
  follow(service: string, listener: (status: ServingStatus | undefined) => void): () => void;

  /**
   * Begins the checks of dependencies and resolves when each has ended once. Until its first check a required dependency
   * counts as missing. Not necessary without checks.
   */
  start(): Promise<void>;

  /** What became of the checks, in their order. */
  dependencies(): readonly DependencyReport[];

  /**
   * Reports everything as NOT_SERVING from now on, so that balancers send calls elsewhere before the server drains, and ends
   * the checks.
   */
  shutdown(): void;

  /**
   * Ends open watches, and later ones after their first message, with UNAVAILABLE. A watch never ends by itself and
   * would delay a drain until its deadline; its client watches the next server.
   */
  endWatches(): void;

  /** The descriptor of grpc.health.v1.Health, for reflection and for clients. */
  readonly service: typeof HealthService;

  /** Registers grpc.health.v1.Health with a router. */
  readonly routes: (router: ConnectRouter) => void;
}

/** The most services that List returns (the public definition of List sets this number). */
export const maxListedServices = 100;

export interface HealthOptions {
  /** What the services depend on. Default: nothing. */
  readonly checks?: readonly HealthCheck[];
  /** Where it is reported that a dependency has come or gone. Default: warnings as JSON lines on standard error. */
  readonly log?: Log;
  /** For tests. */
  readonly clock?: Clock;
}

/**
 * A health service that knows one entry: the server as a whole, which is SERVING.
 *
 * @throws TypeError or RangeError for options that are none
 */
export function createHealth(options: HealthOptions = {}): Health {
  refuseUnknownOptions("createHealth", options, ["checks", "log", "clock"]);
  const log = safeLog(options.log);
  /** As they were set, whatever became of dependencies. */
  const ownStatuses = new Map<string, ServingStatus>([["", "SERVING"]]);
  const checks = new DependencyChecks(options.checks ?? [], options.clock ?? systemClock, onDependency);
  // Entries exist only while a client watches, because clients choose these names freely.
  const watchers = new Map<string, Set<LatestValue<ServingStatus>>>();
  const followers = new Set<{
    readonly service: string;
    reported: ServingStatus | undefined;
    readonly notify: () => void;
  }>();
  let isShutDown = false;
  let areWatchesOver = false;

  function statusOf(service: string): ServingStatus | undefined {
    const status = ownStatuses.get(service);
    return status === "SERVING" && checks.blocks(service) ? "NOT_SERVING" : status;
  }

  function change(service: string, status: ServingStatus): void {
    ownStatuses.set(service, status);
    tellWatchers(service);
  }

  /** Each remembers the status that it reported last, so a second notification is harmless. */
  function tellWatchers(service: string): void {
    const status = statusOf(service);
    if (status === undefined) return;
    for (const watcher of watchers.get(service) ?? []) watcher.set(status);
    for (const follower of [...followers]) if (follower.service === service) follower.notify();
  }

  function onDependency({ name, state, required, problem }: DependencyReport): void {
    if (state === "missing") log.warn("a dependency is missing", { dependency: name, required, problem });
    else log.info("dependency healthy", { dependency: name, required });
    for (const service of ownStatuses.keys()) tellWatchers(service);
  }

  function check(service: string): HealthCheckResponse {
    const status = statusOf(service);
    if (status === undefined) throw new ConnectError("unknown service", Code.NotFound);
    return toResponse(status);
  }

  function list(): { statuses: Record<string, HealthCheckResponse> } {
    if (ownStatuses.size > maxListedServices) {
      throw new ConnectError(
        `${ownStatuses.size} services are registered, but at most ${maxListedServices} can be listed`,
        Code.ResourceExhausted,
      );
    }
    return {
      statuses: Object.fromEntries(Array.from(ownStatuses.keys(), (name) => [name, toResponse(statusOf(name))])),
    };
  }

  async function* watch(service: string, signal: AbortSignal): AsyncGenerator<HealthCheckResponse> {
    const watcher = createLatestValue<ServingStatus>(signal);
    const others = watchers.get(service) ?? new Set();
    watchers.set(service, others.add(watcher));
    try {
      let reported = statusOf(service);
      yield toResponse(reported);
      while (!areWatchesOver) {
        const status = await watcher.next();
        if (status === undefined) break;
        // A slow watcher may have missed a change and its reversal.
        if (status === reported) continue;
        reported = status;
        yield toResponse(status);
      }
      if (areWatchesOver) throw new ConnectError("the server is shutting down", Code.Unavailable);
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
    status: statusOf,
    follow(service, listener) {
      const follower = {
        service,
        reported: statusOf(service),
        notify() {
          const status = statusOf(service);
          if (status === follower.reported) return;
          follower.reported = status;
          listener(status);
        },
      };
      followers.add(follower);
      listener(follower.reported);
      return () => followers.delete(follower);
    },
    start: () => checks.start(),
    dependencies: () => checks.reports(),
    shutdown() {
      isShutDown = true;
      checks.stop();
      for (const service of ownStatuses.keys()) change(service, "NOT_SERVING");
    },
    endWatches() {
      areWatchesOver = true;
      for (const ofService of watchers.values()) for (const watcher of [...ofService]) watcher.close();
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
