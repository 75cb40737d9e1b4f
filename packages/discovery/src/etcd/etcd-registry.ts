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
  /** Members of one cluster, as `host:port`. Default `127.0.0.1:2379`. Calls use the reachable members in turn. */
  readonly endpoints?: readonly string[];
  /** The prefix of all keys. Default `/tercel/services`; the key of an instance is `<prefix>/<service>/<id>`. */
  readonly prefix?: string;
  /** The user name, for etcd with authentication. */
  readonly user?: string;
  /** The user's password, or a function that is called before each request for a token. Never logged. */
  readonly password?: string | (() => string);
  /** TLS as in the channel options: `true`, or a CA, and a certificate and key if etcd requires one. Default: cleartext. */
  readonly tls?: NonNullable<ChannelOptions["tls"]>;
  /** How long an instance stays registered without a renewal; rounded up to whole seconds. Default 15,000. */
  readonly leaseMs?: number;
  /** The timeout of each request. Default 5,000. */
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
 * Creates a registry that uses the gRPC API of etcd 3.4 and later. An instance is a key that etcd removes when its lease expires.
 *
 * @throws TypeError or RangeError that names the invalid option
 */
export function createEtcdRegistry(options: EtcdRegistryOptions = {}): Registry {
  const where = "createEtcdRegistry";
  refuseUnknownOptions(where, options, optionNames);
  // etcd counts leases in seconds, and lengthens those shorter than 1.5 times its election timeout.
  checkWholeNumber(where, "leaseMs", options.leaseMs, 2000, 86_400_000);
  checkWholeNumber(where, "timeoutMs", options.timeoutMs, 1, 86_400_000);
  const { endpoints = ["127.0.0.1:2379"], prefix = "/tercel/services", leaseMs = 15_000, timeoutMs = 5000 } = options;
  if (endpoints.length === 0) throw new TypeError(`${where}: endpoints is empty`);
  if (prefix === "" || prefix.endsWith("/"))
    throw new TypeError(`${where}: prefix must not be empty or end with a slash`);
  const { user, password, tls } = options;
  if ((user === undefined) !== (password === undefined))
    throw new TypeError(`${where}: set user and password together`);

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
