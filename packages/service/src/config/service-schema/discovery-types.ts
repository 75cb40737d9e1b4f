import { array, type InferOutput, optional, pipe, record, strictObject, string, transform } from "valibot";
import { choice, flag, port, text } from "../values/basic-values.ts";
import { dropUndefined } from "../values/drop-undefined.ts";
import { duration } from "../values/duration.ts";
import { clientTlsSection } from "./tls-section.ts";

const hostAndPort = (description: string) =>
  text({ minLength: 1, expects: "a host and a port, such as localhost:8500", description });

/** `discovery.providers.consul` */
export const consulConfig = pipe(
  strictObject({
    address: optional(hostAndPort("Address of the agent, `host:port` or a URL."), "localhost:8500"),
    token: optional(text({ secret: true, description: "ACL token. Default: anonymous." }), ""),
    service_name: optional(text({ minLength: 1, description: "Name to register. Default: `service.name`." })),
    service_port: optional(port({ description: "Port to register. Default: gRPC's port." })),
    datacenter: optional(text({ description: "Datacenter to read services from. Default: the agent's." })),
    health_check: optional(
      strictObject({
        enabled: optional(
          flag({ description: "Whether the instance has a health check. Without one, only a stop removes it." }),
          true,
        ),
        kind: optional(
          choice(["grpc", "http", "tcp", "ttl"], {
            description:
              "Type of the check. Default: `http` if `path` is set, else `grpc`. `ttl` is for agents that cannot reach the service.",
          }),
        ),
        path: optional(
          text({ pattern: /^\//, expects: "a path that begins with /", description: "Path of an HTTP check." }),
        ),
        interval: optional(duration({ minMs: 1000, description: "Interval of checks." }), "10s"),
        timeout: optional(duration({ minMs: 1, description: "Timeout of a check." }), "5s"),
        deregister_after: optional(
          duration({
            minMs: 1000,
            description: "How long an instance may fail before it is removed. Consul's minimum is a minute.",
          }),
          "60s",
        ),
      }),
      {},
    ),
  }),
  transform(
    ({ address, token, service_name: serviceName, service_port: servicePort, datacenter, health_check: check }) =>
      dropUndefined({
        address: address.includes("://") ? address : `http://${address}`,
        token: token === "" ? undefined : token,
        serviceName,
        servicePort,
        datacenter,
        check: dropUndefined({
          kind: check.enabled ? (check.kind ?? (check.path === undefined ? "grpc" : "http")) : ("none" as const),
          path: check.path,
          intervalMs: check.interval,
          timeoutMs: check.timeout,
          deregisterAfterMs: check.deregister_after,
        }),
      }),
  ),
);

/** `discovery.providers.embedded` */
export const embeddedConfig = pipe(
  strictObject({
    target: optional(hostAndPort("Address of the process that hosts the registry."), "127.0.0.1:50050"),
    lease: optional(
      duration({ minMs: 1000, description: "How long an instance stays registered without renewal." }),
      "15s",
    ),
    serve: optional(flag({ description: "Whether this process hosts the registry." }), false),
  }),
  transform(({ lease, ...rest }) => ({ ...rest, leaseMs: lease })),
);

/** `discovery.providers.static` */
export const staticConfig = strictObject({
  services: optional(record(string(), array(hostAndPort("Address of an instance."))), {}),
});

/** `discovery.providers.dns` */
export const dnsConfig = pipe(
  strictObject({
    domain: optional(text({ description: "Suffix of service names: `svc.example.org`." })),
    srv_prefix: optional(text({ description: "Prefix of that name for SRV records." }), "_grpc._tcp"),
    port: optional(port({ description: "Port of instances without an SRV record. Default: they are not found." })),
    servers: optional(array(text({ minLength: 1, description: "A DNS server. Default: the system's." })), []),
    interval: optional(duration({ minMs: 1000, description: "Interval of queries." }), "30s"),
    timeout: optional(duration({ minMs: 1, description: "Timeout of one query to one server." }), "2s"),
  }),
  transform(({ domain, srv_prefix: srvPrefix, port: fixedPort, servers, interval, timeout }) =>
    dropUndefined({
      domain,
      srvPrefix,
      port: fixedPort,
      servers: servers.length > 0 ? servers : undefined,
      intervalMs: interval,
      timeoutMs: timeout,
    }),
  ),
);

/** `discovery.providers.etcd` */
export const etcdConfig = pipe(
  strictObject({
    endpoints: optional(array(hostAndPort("Address of a member of the cluster.")), ["127.0.0.1:2379"]),
    prefix: optional(text({ minLength: 1, description: "Prefix of keys." }), "/tercel/services"),
    user: optional(text({ minLength: 1, description: "User name. Default: no authentication." })),
    password: optional(text({ secret: true, description: "Password of the user." })),
    lease: optional(
      duration({ minMs: 1000, description: "How long an instance stays registered without renewal." }),
      "15s",
    ),
    timeout: optional(duration({ minMs: 1, description: "Timeout of a request." }), "5s"),
    tls: optional(clientTlsSection, {}),
  }),
  transform(({ endpoints, prefix, user, password, lease, timeout, tls }) =>
    dropUndefined({ endpoints, prefix, user, password, leaseMs: lease, timeoutMs: timeout, tls }),
  ),
);

/** `discovery.providers.kubernetes` */
export const kubernetesConfig = pipe(
  strictObject({
    namespace: optional(text({ minLength: 1, description: "Default: the pod's namespace." })),
    port_name: optional(text({ minLength: 1, description: "Name of the port, for a Service with several." }), "grpc"),
    timeout: optional(duration({ minMs: 1, description: "Timeout of a request, except watches." }), "5s"),
  }),
  transform(({ namespace, port_name: portName, timeout }) =>
    dropUndefined({ namespace, portName, timeoutMs: timeout }),
  ),
);

/** `discovery.providers.none`: nothing is registered, and clients need a `target`. */
export const noDiscoveryConfig = strictObject({});

export type ConsulConfig = InferOutput<typeof consulConfig>;
export type EmbeddedConfig = InferOutput<typeof embeddedConfig>;
export type StaticConfig = InferOutput<typeof staticConfig>;
export type DnsConfig = InferOutput<typeof dnsConfig>;
export type EtcdConfig = InferOutput<typeof etcdConfig>;
export type KubernetesConfig = InferOutput<typeof kubernetesConfig>;
