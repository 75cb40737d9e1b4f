import { checkWholeNumber, refuseUnknownOptions } from "@tercel/grpc/internal";
import { createNamePoller, lookUpService, type ServiceNames } from "../names/look-up-service.ts";
import { type AdapterOptions, adapterOptionNames, readAdapterOptions } from "../port/adapter-options.ts";
import { cannotRegister } from "../port/cannot-register.ts";
import { follow } from "../port/follow.ts";
import { checkServiceName } from "../port/instance.ts";
import type { Registry } from "../port/registry.ts";
import { WatchHub } from "../port/watch-hub.ts";

export interface DnsRegistryOptions extends Omit<AdapterOptions, "registerTimeoutMs"> {
  /** Appended to the service's name: with `svc.example.org`, orders becomes `orders.svc.example.org`. Default: nothing. */
  readonly domain?: string;
  /**
   * Prepended to that name for SRV records. Default `_grpc._tcp`, the name in Kubernetes for a port called grpc. "" looks up SRV
   * records of the name itself, as for Consul's DNS.
   */
  readonly srvPrefix?: string;
  /** The port of instances without SRV records. Default: none, and only SRV records are looked up. */
  readonly port?: number;
  /** The DNS servers, `address` or `address:port`. Default: the system's. */
  readonly servers?: readonly string[];
  /** The time between two lookups. Default 30,000, as in gRPC's DNS resolvers. */
  readonly intervalMs?: number;
  /** The timeout of one query to one server. Default 2,000. */
  readonly timeoutMs?: number;
}

/**
 * Creates a registry that polls DNS: SRV records, or A and AAAA records with a fixed port.
 *
 * @throws TypeError or RangeError that names the invalid option
 */
export function createDnsRegistry(options: DnsRegistryOptions = {}): Registry {
  const where = "createDnsRegistry";
  const own = ["domain", "srvPrefix", "port", "servers", "intervalMs", "timeoutMs"];
  refuseUnknownOptions(where, options, [...own, ...adapterOptionNames.filter((name) => name !== "registerTimeoutMs")]);
  checkWholeNumber(where, "port", options.port, 1, 65_535);
  checkWholeNumber(where, "intervalMs", options.intervalMs, 1, 86_400_000);
  checkWholeNumber(where, "timeoutMs", options.timeoutMs, 1, 86_400_000);
  const { domain = "", srvPrefix = "_grpc._tcp", port, servers, intervalMs = 30_000, timeoutMs = 2000 } = options;
  const { clock, backoff } = readAdapterOptions(where, options);
  const lookup = { timeoutMs, ...(servers !== undefined && { servers }) };
  const description = servers === undefined ? "the system's DNS" : `DNS at ${servers.join(",")}`;

  function namesOf(service: string): ServiceNames {
    const hostName = domain === "" ? service : `${service}.${domain}`;
    const srvName = srvPrefix === "" ? hostName : `${srvPrefix}.${hostName}`;
    return { srvName, hostName, ...(port !== undefined && { port }) };
  }

  const hub = new WatchHub(clock, (name, sink) => {
    const poller = createNamePoller(
      (signal) => lookUpService(name, namesOf(name), lookup, signal),
      sink,
      clock,
      intervalMs,
    );
    return follow(poller, sink, { clock, backoff, description });
  });
  return {
    description,
    canRegister: false,
    async register() {
      throw cannotRegister(description, "the owner of the zone writes its records");
    },
    async deregister() {},
    async getService(name) {
      checkServiceName("getService", name);
      return lookUpService(name, namesOf(name), lookup);
    },
    watch: (name, listener, watchOptions) => hub.watch(name, listener, watchOptions),
    async close() {
      hub.close();
    },
  };
}
