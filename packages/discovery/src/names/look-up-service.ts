import { Resolver } from "node:dns/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Clock } from "@tercel/grpc";
import { pause } from "@tercel/grpc/internal";
import type { FollowOnce } from "../port/follow.ts";
import type { ServiceInstance } from "../port/instance.ts";
import type { WatchSink } from "../port/watched-service.ts";

/** The DNS names of a service. */
export interface ServiceNames {
  /** The name with SRV records, which include the port. Undefined: SRV records are not looked up. */
  readonly srvName?: string;
  /** The name with A and AAAA records, one for each instance. Looked up if there are no SRV records. */
  readonly hostName: string;
  /** The port of the instances of `hostName`. Undefined: only SRV records are used. */
  readonly port?: number;
}

export interface NameLookupOptions {
  /** The DNS servers, `address` or `address:port`. Default: the system's. */
  readonly servers?: readonly string[];
  /** The timeout of one query to one server, before the next server is tried. */
  readonly timeoutMs: number;
}

/** Looks up the instances of a service in DNS: none for an unknown name. Rejects with Unavailable when DNS fails. */
export async function lookUpService(
  service: string,
  { srvName, hostName, port }: ServiceNames,
  options: NameLookupOptions,
  signal?: AbortSignal,
): Promise<ServiceInstance[]> {
  const resolver = new Resolver({ timeout: options.timeoutMs, tries: 2 });
  if (options.servers !== undefined) resolver.setServers(options.servers);
  const cancel = (): void => resolver.cancel();
  signal?.addEventListener("abort", cancel, { once: true });
  try {
    const records = srvName === undefined ? [] : await noneIfUnknown(resolver.resolveSrv(srvName));
    if (records.length > 0) {
      // Clients try the lowest priority first (RFC 2782); load balancers use the weights.
      records.sort((a, b) => a.priority - b.priority);
      const found = await Promise.all(
        records.map(async (record) => {
          const addresses = await addressesOf(resolver, record.name);
          const metadata = new Map([
            ["priority", String(record.priority)],
            ["weight", String(record.weight)],
          ]);
          return addresses.slice(0, 1).map((address) => createNamed(service, address, record.port, metadata));
        }),
      );
      return found.flat();
    }
    if (port === undefined) return [];
    const addresses = await addressesOf(resolver, hostName);
    return addresses.map((address) => createNamed(service, address, port, new Map()));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConnectError(reason, Code.Unavailable, undefined, undefined, error);
  } finally {
    signal?.removeEventListener("abort", cancel);
  }
}

/** Polls at an interval, because DNS does not report changes. */
export function createNamePoller(
  lookUp: (signal: AbortSignal) => Promise<readonly ServiceInstance[]>,
  sink: WatchSink,
  clock: Clock,
  intervalMs: number,
): FollowOnce {
  return async (signal, onProgress) => {
    const instances = await lookUp(signal);
    onProgress();
    sink.replace(instances);
    await pause(clock, intervalMs, signal);
  };
}

async function addressesOf(resolver: Resolver, host: string): Promise<string[]> {
  const [ipv4, ipv6] = await Promise.all([
    noneIfUnknown(resolver.resolve4(host)),
    noneIfUnknown(resolver.resolve6(host)),
  ]);
  // A host with both is one instance. IPv4 is preferred because a route for IPv6 may be missing.
  return ipv4.length > 0 ? ipv4 : ipv6;
}

async function noneIfUnknown<Found>(asked: Promise<Found[]>): Promise<Found[]> {
  try {
    return await asked;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === "ENOTFOUND" || code === "ENODATA") return [];
    throw error;
  }
}

function createNamed(
  name: string,
  address: string,
  port: number,
  metadata: ReadonlyMap<string, string>,
): ServiceInstance {
  const id = address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
  return { id, name, version: "", address, port, metadata, endpoints: [], dependencies: [], health: "unknown" };
}
