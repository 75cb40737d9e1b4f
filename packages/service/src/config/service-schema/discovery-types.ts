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
    address: optional(hostAndPort("The agent, `host:port` or a URL."), "localhost:8500"),
    token: optional(text({ secret: true, description: "ACL token. Empty: anonymous." }), ""),
    service_name: optional(text({ minLength: 1, description: "The name to register. Default: `service.name`." })),
    service_port: optional(port({ description: "The port to register. Default: the one where gRPC listens." })),
    datacenter: optional(text({ description: "Whose services are read. Default: the agent's own." })),
    health_check: optional(
      strictObject({
        enabled: optional(flag({ description: "Without a check only a stop removes the instance." }), true),
        kind: optional(
          choice(["grpc", "http", "tcp", "ttl"], {
            description:
              "How the agent checks. Default: `http` where `path` is set, else `grpc`. `ttl` is for agents that cannot reach the service.",
          }),
        ),
        path: optional(
          text({ pattern: /^\//, expects: "a path that begins with /", description: "What an HTTP check asks for." }),
        ),
        interval: optional(duration({ minMs: 1000, description: "From check to check." }), "10s"),
        timeout: optional(duration({ minMs: 1, description: "How long one check may take." }), "5s"),
        deregister_after: optional(
          duration({
            minMs: 1000,
            description: "An instance that fails for so long is removed. Consul takes a minute at least.",
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
    target: optional(hostAndPort("Where the process that hosts the registry listens."), "127.0.0.1:50050"),
    lease: optional(
      duration({ minMs: 1000, description: "How long an instance stays when it stops renewing." }),
      "15s",
    ),
    serve: optional(flag({ description: "This process hosts the registry." }), false),
  }),
  transform(({ lease, ...rest }) => ({ ...rest, leaseMs: lease })),
);

/** `discovery.providers.static` */
export const staticConfig = strictObject({
  services: optional(record(string(), array(hostAndPort("An instance."))), {}),
});

/** `discovery.providers.dns` */
export const dnsConfig = pipe(
  strictObject({
    domain: optional(text({ description: "Put after a service's name: `svc.example.org`." })),
    srv_prefix: optional(text({ description: "Put before that name for SRV records." }), "_grpc._tcp"),
    port: optional(port({ description: "The port of instances without an SRV record. Default: such are not found." })),
    servers: optional(array(text({ minLength: 1, description: "A server to ask. Default: the system's." })), []),
    interval: optional(duration({ minMs: 1000, description: "From question to question." }), "30s"),
    timeout: optional(duration({ minMs: 1, description: "Time for one question to one server." }), "2s"),
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
    endpoints: optional(array(hostAndPort("A member of the cluster.")), ["127.0.0.1:2379"]),
    prefix: optional(text({ minLength: 1, description: "What keys begin with." }), "/tercel/services"),
    user: optional(text({ minLength: 1 })),
    password: optional(text({ secret: true })),
    lease: optional(
      duration({ minMs: 1000, description: "How long an instance stays when it stops renewing." }),
      "15s",
    ),
    timeout: optional(duration({ minMs: 1, description: "The deadline of each request." }), "5s"),
    tls: optional(clientTlsSection, {}),
  }),
  transform(({ endpoints, prefix, user, password, lease, timeout, tls }) =>
    dropUndefined({ endpoints, prefix, user, password, leaseMs: lease, timeoutMs: timeout, tls }),
  ),
);

/** `discovery.providers.kubernetes` */
export const kubernetesConfig = pipe(
  strictObject({
    namespace: optional(text({ minLength: 1, description: "Default: the pod's own." })),
    port_name: optional(text({ minLength: 1, description: "The port of a Service that has several." }), "grpc"),
    timeout: optional(duration({ minMs: 1, description: "Time for a request, apart from watches." }), "5s"),
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
