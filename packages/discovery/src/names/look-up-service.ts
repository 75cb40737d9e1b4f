import { Resolver } from "node:dns/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Clock } from "@tercel/grpc";
import { pause } from "@tercel/grpc/internal";
import type { FollowOnce } from "../port/follow.ts";
import type { ServiceInstance } from "../port/instance.ts";
import type { WatchSink } from "../port/watched-service.ts";

/** The names of a service in DNS. */
export interface ServiceNames {
  /** Has SRV records, which hold the port as well; without it none are looked up. */
  readonly srvName?: string;
  /** Has A and AAAA records, one for each instance; looked up when the name has no SRV record. */
  readonly hostName: string;
  /** The port of the instances that `hostName` has. Without it only SRV records count. */
  readonly port?: number;
}

export interface NameLookupOptions {
  /** The servers to ask, `address` or `address:port`. Default: the system's. */
  readonly servers?: readonly string[];
  /** Time for one question to one server, before the next is asked. */
  readonly timeoutMs: number;
}

/** Instances of one service by DNS. Rejects when DNS does not respond; a name that it does not have has no instances. */
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
      // The lowest priority is tried first (RFC 2782); weights are for balancers.
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

/** Queries at intervals: DNS does not report changes. */
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
  // A host with both is one instance; IPv4 goes first because nothing has said whether there is a route for IPv6.
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
