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
  /** The port of a Service that has several. Default "grpc"; of a Service with one port it is that, whatever its name. */
  readonly portName?: string;
  /** Time for a request, apart from watches. Default 5,000. */
  readonly timeoutMs?: number;
  /** For pods that may not read EndpointSlices: how their Services are found by DNS. `false` fails instead. */
  readonly dnsFallback?: false | KubernetesDnsOptions;
}

export interface KubernetesDnsOptions {
  /** The cluster's domain. Default `cluster.local`. */
  readonly clusterDomain?: string;
  /** The port of Services without SRV records. Default: such are not found. */
  readonly port?: number;
  /** From one question to the next. Default 30,000. */
  readonly intervalMs?: number;
  /** The servers to ask. Default: the pod's. */
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

/** How long DNS is asked before the API is tried again: a role may have been given meanwhile. */
const fallbackMs = 600_000;

/**
 * The Services of a Kubernetes namespace, by their EndpointSlices. The pod's service account needs `list` and `watch` on
 * `endpointslices` of `discovery.k8s.io`; without, headless Services are found by DNS, and a warning is logged.
 *
 * @throws TypeError or RangeError that says which option is wrong, Error outside a pod when options are missing
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
        log.warn("may not read EndpointSlices; the service is looked up in DNS, which is slower and has no zones", {
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
      throw cannotRegister(description, "Kubernetes enters a pod itself once it is ready");
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
