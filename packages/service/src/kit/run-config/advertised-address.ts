import { hostname, networkInterfaces } from "node:os";
import type { ListenOn, RunConfig } from "./run-config.ts";

const everyInterface: readonly string[] = ["0.0.0.0", "::", ""];

/** Returns the address that a service registers: as configured, else the machine's first external address. */
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
