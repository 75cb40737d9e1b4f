import { Code, ConnectError } from "@connectrpc/connect";
import { checkWholeNumber, refuseUnknownOptions } from "@tercel/grpc/internal";
import { createNamePoller, lookUpService, type ServiceNames } from "../names/look-up-service.ts";
import { type AdapterOptions, adapterOptionNames, readAdapterOptions } from "../port/adapter-options.ts";
import { cannotRegister } from "../port/cannot-register.ts";
import { type FollowOnce, follow } from "../port/follow.ts";
import { checkServiceName, type ServiceInstance } from "../port/instance.ts";
import type { Registry } from "../port/registry.ts";
import { WatchHub } from "../port/watch-hub.ts";
import type { WatchSink } from "../port/watched-service.ts";
import { type ClusterAccessOptions, openCluster } from "./cluster-access.ts";
import { createSliceFollower, listSlices } from "./follow-slices.ts";

export interface KubernetesRegistryOptions extends ClusterAccessOptions, Omit<AdapterOptions, "registerTimeoutMs"> {
  /** The name of the port, for Services with several ports. Default "grpc". The only port of a Service is used whatever its name. */
  readonly portName?: string;
  /** The timeout of a request that is not a watch. Default 5,000. */
  readonly timeoutMs?: number;
  /** How to look up Services in DNS if the pod is not allowed to read EndpointSlices. `false` disables DNS, and reports the error. */
  readonly dnsFallback?: false | KubernetesDnsOptions;
}

export interface KubernetesDnsOptions {
  /** The cluster's domain. Default `cluster.local`. */
  readonly clusterDomain?: string;
  /** The port of Services without SRV records. Default: none, and such Services have no instances. */
  readonly port?: number;
  /** The time between two lookups. Default 30,000. */
  readonly intervalMs?: number;
  /** The DNS servers. Default: those of the pod. */
  readonly servers?: readonly string[];
}

const optionNames = [
  ...adapterOptionNames.filter((name) => name !== "registerTimeoutMs"),
  "apiServer",
  "accountFolder",
  "namespace",
  "portName",
  "timeoutMs",
  "dnsFallback",
];

/** How long DNS is used before the API is tried again: the pod may have been granted the role by then. */
const fallbackMs = 600_000;

/**
 * Creates a registry of the Services in a Kubernetes namespace, which it follows by their EndpointSlices. The pod's service account needs
 * `list` and `watch` on `endpointslices` of `discovery.k8s.io`. Without these rights, the registry logs a warning and looks up headless
 * Services in DNS.
 *
 * @throws TypeError or RangeError that names the invalid option, Error outside a pod when options are missing
 */
export function createKubernetesRegistry(options: KubernetesRegistryOptions = {}): Registry {
  const where = "createKubernetesRegistry";
  refuseUnknownOptions(where, options, optionNames);
  checkWholeNumber(where, "timeoutMs", options.timeoutMs, 1, 86_400_000);
  const { portName = "grpc", timeoutMs = 5000, dnsFallback = {} } = options;
  if (dnsFallback !== false) {
    refuseUnknownOptions(`${where}: dnsFallback`, dnsFallback, ["clusterDomain", "port", "intervalMs", "servers"]);
    checkWholeNumber(where, "dnsFallback.port", dnsFallback.port, 1, 65_535);
    checkWholeNumber(where, "dnsFallback.intervalMs", dnsFallback.intervalMs, 1, 86_400_000);
  }
  const { clock, backoff, log } = readAdapterOptions(where, options);
  const { http, apiServer, namespace } = openCluster(options, clock);
  const reader = { http, namespace, portName, timeoutMs };
  const description = `kubernetes at ${apiServer}, namespace ${namespace}`;

  function lookUp(dns: KubernetesDnsOptions, service: string, signal?: AbortSignal): Promise<ServiceInstance[]> {
    const { clusterDomain = "cluster.local", port, servers } = dns;
    const hostName = `${service}.${namespace}.svc.${clusterDomain}`;
    const names: ServiceNames = {
      hostName,
      srvName: `_${portName}._tcp.${hostName}`,
      ...(port !== undefined && { port }),
    };
    return lookUpService(service, names, { timeoutMs, ...(servers !== undefined && { servers }) }, signal);
  }

  function createFollower(service: string, sink: WatchSink): FollowOnce {
    const bySlices = createSliceFollower(reader, service, sink);
    if (dnsFallback === false) return bySlices;
    const byNames = createNamePoller(
      (signal) => lookUp(dnsFallback, service, signal),
      sink,
      clock,
      dnsFallback.intervalMs ?? 30_000,
    );
    let byNamesUntilMs = 0;
    return async (signal, onProgress) => {
      if (clock.nowMs() < byNamesUntilMs) return byNames(signal, onProgress);
      try {
        await bySlices(signal, onProgress);
      } catch (error) {
        if (ConnectError.from(error).code !== Code.PermissionDenied) throw error;
        byNamesUntilMs = clock.nowMs() + fallbackMs;
        log.warn("not allowed to read EndpointSlices: using DNS, which is slower and has no zones", {
          service,
          registry: description,
          error: ConnectError.from(error).rawMessage,
        });
        await byNames(signal, onProgress);
      }
    };
  }

  const hub = new WatchHub(clock, (name, sink) => {
    return follow(createFollower(name, sink), sink, { clock, backoff, description });
  });
  return {
    description,
    canRegister: false,
    async register() {
      throw cannotRegister(description, "Kubernetes adds pods itself when they are ready");
    },
    async deregister() {},
    async getService(name) {
      checkServiceName("getService", name);
      try {
        return (await listSlices(reader, name)).slices.instances;
      } catch (error) {
        if (dnsFallback === false || ConnectError.from(error).code !== Code.PermissionDenied) throw error;
        return lookUp(dnsFallback, name);
      }
    },
    watch: (name, listener, watchOptions) => hub.watch(name, listener, watchOptions),
    async close() {
      hub.close();
      http.close();
    },
  };
}
