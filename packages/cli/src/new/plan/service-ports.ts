/** The ports of a service in development. */
export interface ServicePorts {
  readonly grpc: number;
  /** Port of the metrics page. */
  readonly metrics: number;
  /** Whether it hosts the embedded registry, as one service on the machine does. */
  readonly hostsRegistry: boolean;
}

/** The ports of a first service, which are the kit's defaults. */
export const defaultPorts: ServicePorts = { grpc: 50_051, metrics: 9464, hostsRegistry: true };

const highestPort = 65_535;

/** Derives the ports from gRPC's: the n-th service gets the n-th metrics port; far from the default port, the one next to gRPC's. */
export function portsFor(grpc: number, hostsRegistry: boolean): ServicePorts {
  const distance = grpc - defaultPorts.grpc;
  const isNear = distance >= 0 && distance < 500;
  const metrics = isNear ? defaultPorts.metrics + distance : grpc < highestPort ? grpc + 1 : grpc - 1;
  return { grpc, metrics, hostsRegistry };
}
