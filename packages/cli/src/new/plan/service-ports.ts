/** Where a service listens in development. */
export interface ServicePorts {
  readonly grpc: number;
  /** Of the page with the metrics. */
  readonly metrics: number;
  /** Whether it hosts the embedded registry, which one service of the machine does. */
  readonly hostsRegistry: boolean;
}

/** Those of a first service, and the kit's own defaults. */
export const defaultPorts: ServicePorts = { grpc: 50_051, metrics: 9464, hostsRegistry: true };

const highestPort = 65_535;

/** The metrics of the second service are on the second port for metrics, and so on; far from the default, next to gRPC's own. */
export function portsFor(grpc: number, hostsRegistry: boolean): ServicePorts {
  const distance = grpc - defaultPorts.grpc;
  const isNear = distance >= 0 && distance < 500;
  const metrics = isNear ? defaultPorts.metrics + distance : grpc < highestPort ? grpc + 1 : grpc - 1;
  return { grpc, metrics, hostsRegistry };
}
