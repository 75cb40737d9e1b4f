import { stringify } from "yaml";
import type { DeploymentPlan } from "./deployment-plan.ts";

type Yaml = Readonly<Record<string, unknown>>;

const listenPort = 8080;
const adminPort = 9901;

/**
 * Returns `deploy/envoy.yaml`: gRPC-Web, CORS, health checks and outlier detection, for deployments with a proxy in front of the service. The
 * service itself also serves gRPC-Web.
 */
export function envoyFile(plan: DeploymentPlan): string {
  const document = {
    admin: { address: socketAddress("127.0.0.1", adminPort) },
    static_resources: { listeners: [listener(plan)], clusters: [cluster(plan)] },
  };
  const comment = [
    "# Made by tercel deploy envoy. List the origins of your pages in allow_origin_string_match: by default, no other origin may call.",
    `# envoy --config-path deploy/envoy.yaml listens on port ${listenPort}.`,
  ];
  return `${comment.join("\n")}\n${stringify(document, { lineWidth: 0, aliasDuplicateObjects: false })}`;
}

function typed(type: string, rest: Yaml = {}): Yaml {
  return { "@type": `type.googleapis.com/${type}`, ...rest };
}

function socketAddress(address: string, port: number): Yaml {
  return { socket_address: { address, port_value: port } };
}

function listener({ name }: DeploymentPlan): Yaml {
  const filters = "envoy.extensions.filters.http";
  const connectionManager = typed("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", {
    codec_type: "AUTO",
    stat_prefix: "ingress",
    // Streams may be idle for any time.
    stream_idle_timeout: "0s",
    route_config: {
      name: "calls",
      virtual_hosts: [
        {
          name,
          domains: ["*"],
          typed_per_filter_config: { "envoy.filters.http.cors": typed(`${filters}.cors.v3.CorsPolicy`, cors) },
          routes: [
            {
              match: { prefix: "/" },
              // Callers set deadlines by grpc-timeout.
              route: { cluster: name, timeout: "0s", max_stream_duration: { grpc_timeout_header_max: "0s" } },
            },
          ],
        },
      ],
    },
    http_filters: [
      { name: "envoy.filters.http.grpc_web", typed_config: typed(`${filters}.grpc_web.v3.GrpcWeb`) },
      { name: "envoy.filters.http.cors", typed_config: typed(`${filters}.cors.v3.Cors`) },
      { name: "envoy.filters.http.router", typed_config: typed(`${filters}.router.v3.Router`) },
    ],
  });
  return {
    name: "calls",
    address: socketAddress("0.0.0.0", listenPort),
    filter_chains: [
      { filters: [{ name: "envoy.filters.network.http_connection_manager", typed_config: connectionManager }] },
    ],
  };
}

const cors = {
  allow_origin_string_match: [{ exact: "https://app.example.com" }],
  allow_methods: "GET, PUT, DELETE, POST, OPTIONS",
  allow_headers:
    "authorization,content-type,connect-protocol-version,connect-timeout-ms,grpc-timeout,x-grpc-web,x-request-id,x-user-agent",
  expose_headers: "grpc-status,grpc-message,grpc-status-details-bin,x-request-id",
  max_age: "7200",
};

function cluster({ name, grpcPort, tls }: DeploymentPlan): Yaml {
  const endpoint = { endpoint: { address: socketAddress(name, grpcPort) } };
  return {
    name,
    // Each address of a headless Service is a separate endpoint.
    type: "STRICT_DNS",
    connect_timeout: "2s",
    lb_policy: "ROUND_ROBIN",
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": typed(
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        { explicit_http_config: { http2_protocol_options: {} } },
      ),
    },
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [endpoint] }] },
    health_checks: [
      {
        timeout: "2s",
        interval: "5s",
        unhealthy_threshold: 2,
        healthy_threshold: 1,
        grpc_health_check: {},
      },
    ],
    outlier_detection: { consecutive_5xx: 5, interval: "5s", base_ejection_time: "30s", max_ejection_percent: 50 },
    ...(tls !== undefined && {
      transport_socket: {
        name: "envoy.transport_sockets.tls",
        typed_config: typed("envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext", {
          sni: name,
          common_tls_context: {
            alpn_protocols: ["h2"],
            validation_context: {
              // The authority that signed the service's certificate.
              trusted_ca: { filename: "/etc/tls/ca.crt" },
              match_typed_subject_alt_names: [{ san_type: "DNS", matcher: { exact: name } }],
            },
          },
        }),
      },
    }),
  };
}
