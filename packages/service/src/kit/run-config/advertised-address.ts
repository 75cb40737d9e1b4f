import { hostname, networkInterfaces } from "node:os";
import type { ListenOn, RunConfig } from "./run-config.ts";

const everyInterface: readonly string[] = ["0.0.0.0", "::", ""];

/** Where others reach a service that listens at an address: as configured, or by this machine's first address that others can reach. */
export function advertisedAddress(
  { host, port }: ListenOn,
  advertise: RunConfig["advertise"],
  interfaces: ReturnType<typeof networkInterfaces> = networkInterfaces(),
): ListenOn {
  return {
    host: advertise.host ?? (everyInterface.includes(host) ? firstReachable(interfaces) : host),
    port: advertise.port ?? port,
  };
}

function firstReachable(interfaces: ReturnType<typeof networkInterfaces>): string {
  const addresses = Object.values(interfaces).flatMap((some) => some ?? []);
  return addresses.find(({ family, internal }) => family === "IPv4" && !internal)?.address ?? hostname();
}
