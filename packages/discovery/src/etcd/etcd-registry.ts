import type { ChannelOptions } from "@tercel/grpc";
import { checkWholeNumber, refuseUnknownOptions } from "@tercel/grpc/internal";
import { type AdapterOptions, adapterOptionNames, readAdapterOptions } from "../port/adapter-options.ts";
import { follow } from "../port/follow.ts";
import { checkServiceName, createInstance } from "../port/instance.ts";
import { RegistrationKeeper } from "../port/keep-registered.ts";
import type { Registry } from "../port/registry.ts";
import { WatchHub } from "../port/watch-hub.ts";
import { createEtcdClient } from "./etcd-client.ts";
import { createEtcdLease } from "./etcd-lease.ts";
import { createEtcdFollower, type EtcdReader, listInstances } from "./follow-prefix.ts";

export interface EtcdRegistryOptions extends AdapterOptions {
  /** Members of one cluster, as `host:port`. Default `127.0.0.1:2379`. Calls go round those that can be reached. */
  readonly endpoints?: readonly string[];
  /** What keys begin with. Default `/tercel/services`; an instance is `<prefix>/<service>/<id>`. */
  readonly prefix?: string;
  /** For an etcd with authentication. */
  readonly user?: string;
  /** The user's password, or a function that reads it whenever a token is requested. Never logged. */
  readonly password?: string | (() => string);
  /** As a channel's: `true`, or a CA, and a certificate and key where etcd requires one. Default: cleartext. */
  readonly tls?: NonNullable<ChannelOptions["tls"]>;
  /** How long an instance stays when it stops renewing, in whole seconds. Default 15,000. */
  readonly leaseMs?: number;
  /** Deadline of each request. Default 5,000. */
  readonly timeoutMs?: number;
}

const optionNames: readonly (keyof EtcdRegistryOptions)[] = [
  ...adapterOptionNames,
  "endpoints",
  "prefix",
  "user",
  "password",
  "tls",
  "leaseMs",
  "timeoutMs",
];

/**
 * etcd 3.4 and later, by its gRPC API. An instance is a key that ends with its lease.
 *
 * @throws TypeError or RangeError that says which option is wrong
 */
export function createEtcdRegistry(options: EtcdRegistryOptions = {}): Registry {
  const where = "createEtcdRegistry";
  refuseUnknownOptions(where, options, optionNames);
  // etcd counts leases in seconds, and keeps none shorter than its election takes.
  checkWholeNumber(where, "leaseMs", options.leaseMs, 2000, 86_400_000);
  checkWholeNumber(where, "timeoutMs", options.timeoutMs, 1, 86_400_000);
  const { endpoints = ["127.0.0.1:2379"], prefix = "/tercel/services", leaseMs = 15_000, timeoutMs = 5000 } = options;
  if (endpoints.length === 0) throw new TypeError(`${where}: endpoints is empty`);
  if (prefix === "" || prefix.endsWith("/")) throw new TypeError(`${where}: prefix has to end without a slash`);
  const { user, password, tls } = options;
  if ((user === undefined) !== (password === undefined)) throw new TypeError(`${where}: user and password go together`);

  const settings = readAdapterOptions(where, options);
  const { clock, backoff, log } = settings;
  const client = createEtcdClient({
    endpoints,
    timeoutMs,
    clock,
    ...(user !== undefined && { user }),
    ...(password !== undefined && { password }),
    ...(tls !== undefined && { tls }),
  });
  const description = `etcd at ${endpoints.join(",")}`;
  const reader: EtcdReader = { client, prefix, timeoutMs, log };
  const kept = new RegistrationKeeper({ ...settings, description });
  const hub = new WatchHub(clock, (name, sink) => {
    return follow(createEtcdFollower(reader, name, sink), sink, { clock, backoff, description });
  });
  return {
    description,
    canRegister: true,
    async register(registration) {
      return kept.register(createInstance(registration), createEtcdLease({ client, prefix, leaseMs, timeoutMs }));
    },
    deregister: (id) => kept.deregister(id),
    async getService(name) {
      checkServiceName("getService", name);
      return (await listInstances(reader, name)).instances;
    },
    watch: (name, listener, watchOptions) => hub.watch(name, listener, watchOptions),
    async close() {
      hub.close();
      await kept.close();
      await client.close();
    },
  };
}
