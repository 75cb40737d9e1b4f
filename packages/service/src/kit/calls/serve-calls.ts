import type { DescService } from "@bufbuild/protobuf";
import type { InstanceHealth, Registry } from "@tercel/discovery";
import type { ListenAddress, Server, ServerOptions } from "@tercel/grpc";
import { errorDetailFiles } from "@tercel/grpc/errors";
import { createReflection, type Health, type ServingStatus } from "@tercel/grpc/services";
import { observeProcess, observeServer } from "@tercel/interceptors/metrics";
import type { ServerStack } from "@tercel/interceptors/stack";
import type { Lifecycle, ServeOptions } from "../../lifecycle/lifecycle-contract.ts";
import type { OwnGatewayOptions } from "../definition/own-gateway-options.ts";
import type { RecordedRoutes } from "../definition/recorded-routes.ts";
import type { FoundServices } from "../dependencies/find-services.ts";
import type { PagesWithCalls } from "../observation/observe-service.ts";
import type { Surroundings } from "../run/surroundings.ts";
import { advertisedAddress } from "../run-config/advertised-address.ts";
import type { RunConfig } from "../run-config/run-config.ts";
import { isSamePlace } from "../run-config/same-place.ts";
import { createServiceGateway } from "./gateway-of.ts";
import { createHttpOnGrpcPort } from "./http-on-grpc-port.ts";
import { pairServers } from "./paired-servers.ts";

/** The contents of a server and its surroundings. */
export interface Served {
  readonly routes: RecordedRoutes;
  readonly stack: ServerStack;
  readonly health: Health;
  readonly pages: PagesWithCalls;
  /** The definition's settings of REST, Connect and gRPC-Web. */
  readonly gateway: OwnGatewayOptions | undefined;
  /** Discovery that the service registers at; undefined without discovery. */
  readonly found: FoundServices | undefined;
  /** The certificate to serve with; undefined for cleartext. */
  readonly tls: ServerOptions["tls"];
  /** Pauses work other than calls. */
  readonly pauseWork: () => Promise<void>;
}

/** The addresses of a service. */
export interface ServedAddresses {
  readonly address: ListenAddress;
  /** Address of REST, Connect and gRPC-Web; the same as gRPC's if they share a port. Undefined if they are not served. */
  readonly httpAddress?: ListenAddress;
}

/** Creates the servers, listens after every dependency was checked once, and registers the service. */
export async function serveCalls(
  life: Lifecycle,
  config: RunConfig,
  { routes, stack, health, pages, gateway: own, found, tls, pauseWork }: Served,
  { log, clock, metrics, neighbours, createServer }: Surroundings,
): Promise<ServedAddresses> {
  const { grpc, http } = config;
  const { services } = routes;
  const reflection = grpc.reflection
    ? createReflection({ services: [...services, health.service], files: errorDetailFiles })
    : undefined;
  const options: ServerOptions = {
    ...grpc.server,
    ...stack.serverOptions,
    ...(tls !== undefined && { tls }),
    exposeDebugInfo: grpc.debugInfo,
    log,
    clock,
    routes(router) {
      routes.replay(router);
      health.routes(router);
      reflection?.routes(router);
    },
  };
  const isOnePort = http === undefined || isSamePlace(http, grpc.listen);
  const gateway = await createServiceGateway(config, own, isOnePort ? pages.onGrpcPort : pages.onHttpPort);
  const onGrpcPort = createHttpOnGrpcPort(gateway !== undefined && isOnePort ? undefined : pages.onGrpcPort);
  const server = createServer({
    ...options,
    ...(onGrpcPort !== undefined && { http1Server: onGrpcPort.server }),
    ...(gateway !== undefined && isOnePort && { gateway }),
  });
  const httpServer = gateway === undefined || isOnePort ? undefined : createServer({ ...options, gateway });
  const served = httpServer === undefined || http === undefined ? server : pairServers(server, httpServer, http);
  await observeLoad(life, config, served, metrics);
  if (neighbours !== undefined) {
    const { drainMs, partMs } = config.stop;
    await life.start(
      "calls in memory",
      () => neighbours.serve(config.service.name, options),
      (serving) => serving.close(Math.min(drainMs, partMs / 2)),
    );
  }
  const address = await life.serve(served, grpc.listen, {
    health,
    async pauseWork() {
      // A scraper's persistent connection to gRPC's port would delay the drain.
      onGrpcPort?.endConnections();
      await pauseWork();
    },
    ...(found?.registry?.canRegister === true && { register: makeKnown(config, services, health, found.registry) }),
  });
  const httpAddress = gateway === undefined ? undefined : isOnePort ? address : httpServer?.address;
  return { address, ...(httpAddress !== undefined && { httpAddress }) };
}

/** Collects metrics of the process and of the server, if they are exported. */
async function observeLoad(
  life: Lifecycle,
  config: RunConfig,
  server: Server,
  metrics: Surroundings["metrics"],
): Promise<void> {
  if (config.metrics === undefined) return;
  await life.start(
    "figures of the process",
    () => [observeProcess(metrics), observeServer(metrics, server)],
    (stops) => {
      for (const stop of stops) stop();
    },
  );
}

/** Registers the service and reports its health to the registry. Resolves to a function that deregisters it. */
function makeKnown(
  { service, advertise, dependencies }: RunConfig,
  services: readonly DescService[],
  health: Health,
  registry: Registry,
): NonNullable<ServeOptions["register"]> {
  return async ({ host, port }) => {
    // Other machines cannot reach a Unix socket.
    if (host === undefined || port === undefined) return undefined;
    const at = advertisedAddress({ host, port }, advertise);
    const registered = await registry.register({
      name: advertise.name ?? service.name,
      version: service.version,
      address: at.host,
      port: at.port,
      metadata: advertise.metadata,
      endpoints: services.map(({ typeName }) => typeName),
      dependencies: dependencies.map(({ name }) => name),
      health: instanceHealth(health.status("")),
    });
    const stopFollowing = health.follow("", (status) => registered.setHealth(instanceHealth(status)));
    return () => {
      stopFollowing();
      return registered.deregister();
    };
  };
}

function instanceHealth(status: ServingStatus | undefined): InstanceHealth {
  return status === "SERVING" ? "serving" : "not_serving";
}
