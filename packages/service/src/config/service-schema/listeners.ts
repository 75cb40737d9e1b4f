import type { HostAndPort } from "../values/listen-address.ts";
import type { GrpcSection, HttpSection } from "./communication-section.ts";
import type { PrometheusConfig } from "./observability-types.ts";
import type { ServiceSection } from "./service-section.ts";

type Served = "grpc" | "http" | "metrics";

/** A port that the service listens on, and what it serves there. */
export interface Listener {
  /** Undefined for every interface. */
  readonly host?: string;
  readonly port: number;
  /** The configuration key of the port, for messages when it is in use. */
  readonly key: string;
  readonly serves: readonly Served[];
}

export interface ListenerSections {
  readonly service: ServiceSection;
  readonly grpc: GrpcSection | undefined;
  readonly http: HttpSection | undefined;
  readonly prometheus: PrometheusConfig | undefined;
}

const defaultGrpcPort = 50_051;
const servicePortKey = "service.port";

/**
 * Returns what each port serves. `service.port` is gRPC's port, unless `communication.providers.grpc.port` is set; then it is the port of HTTP. HTTP
 * or metrics on gRPC's port share its listener and host.
 */
export function listenersOf({ service, grpc, http, prometheus }: ListenerSections): readonly Listener[] {
  const wanted: { readonly address: HostAndPort; readonly key: string; readonly serves: Served[] }[] = [];
  const ownGrpcPort = grpc?.port;
  const grpcPort = ownGrpcPort ?? service.port ?? defaultGrpcPort;
  const grpcKey = ownGrpcPort === undefined ? servicePortKey : "communication.providers.grpc.port";
  if (grpc !== undefined) {
    wanted.push({ address: { host: grpc.host ?? service.host, port: grpcPort }, key: grpcKey, serves: ["grpc"] });
  }
  const namedPort = http?.port ?? (ownGrpcPort === undefined ? undefined : service.port);
  const httpPort = namedPort ?? (http === undefined ? undefined : grpcPort);
  if (httpPort !== undefined) {
    const key = http?.port === undefined ? servicePortKey : "communication.providers.http.port";
    const isOnGrpcPort = namedPort === undefined && grpc !== undefined;
    if (isOnGrpcPort) wanted[0]?.serves.push("http");
    else wanted.push({ address: { host: http?.host ?? service.host, port: httpPort }, key, serves: ["http"] });
  }
  if (prometheus !== undefined) {
    wanted.push({ address: prometheus.endpoint, key: "monitoring.providers.prometheus.endpoint", serves: ["metrics"] });
  }

  const listeners: Listener[] = [];
  for (const { address, key, serves } of wanted) {
    // Port 0 is a different free port each time.
    const index = address.port === 0 ? -1 : listeners.findIndex(({ port }) => port === address.port);
    const same = listeners[index];
    if (same === undefined) listeners.push({ ...address, key, serves });
    else listeners[index] = { ...same, serves: [...same.serves, ...serves] };
  }
  return listeners;
}
