import {
  type DescMethod,
  type DescService,
  getOption,
  hasOption,
  type JsonObject,
  type JsonValue,
} from "@bufbuild/protobuf";
import { FieldMaskSchema } from "@bufbuild/protobuf/wkt";
import { checkWholeNumber, refuseUnknownOptions } from "@tercel/grpc/internal";
import type { CorsOptions } from "../cors.ts";
import { http } from "../gen/google/api/annotations_pb.ts";
import { readBindings } from "../rules/rest-binding.ts";

/** A listening address. */
export interface EnvoyAddress {
  readonly host: string;
  readonly port: number;
}

export interface EnvoyConfigOptions {
  /** The services that Envoy serves. Only their paths are routed. */
  readonly services: readonly DescService[];
  /** The gRPC server, which is called over TLS with `tls`. */
  readonly upstream: EnvoyAddress & { readonly tls?: { readonly caFile: string; readonly serverName?: string } };
  /** Where Envoy listens. Default: port 8080 on all addresses. */
  readonly listen?: EnvoyAddress;
  /** CORS. `origins` must be a list or "*". Default: pages of other origins may not call. */
  readonly cors?: CorsOptions;
  /** Serves REST with `google.api.http`: a descriptor set, as bytes or as the path of its file on Envoy's machine. Default: no REST. */
  readonly transcode?: { readonly descriptorSet: Uint8Array | string };
  /** The paths of certificate and key on Envoy's machine. Default: cleartext. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
}

export interface EnvoyConfig {
  /** The content of the configuration file. Envoy reads JSON as well as YAML. */
  readonly config: JsonObject;
  /** What Envoy does differently from `createGateway`, or does not support. */
  readonly warnings: readonly string[];
}

const where = "createEnvoyConfig";
const hour = "3600s";

/**
 * Creates a configuration for Envoy as a proxy in front of servers: gRPC, gRPC-Web, CORS and, with `transcode`, REST. A server with
 * `createGateway` does not need it.
 *
 * Streams have no timeout. Servers whose gRPC health check fails get no calls.
 *
 * @throws TypeError or RangeError for an invalid option
 */
export function createEnvoyConfig(options: EnvoyConfigOptions): EnvoyConfig {
  checkOptions(options);
  const { services, upstream, listen = { host: "0.0.0.0", port: 8080 }, transcode } = options;
  const manager: JsonObject = {
    "@type": typeOf("filters.network.http_connection_manager.v3.HttpConnectionManager"),
    stat_prefix: "tercel",
    codec_type: "AUTO",
    // Paths must have only one meaning: a path that is not in normal form is rejected, not rewritten.
    ...{ normalize_path: false, path_with_escaped_slashes_action: "KEEP_UNCHANGED" },
    stream_idle_timeout: "0s",
    common_http_protocol_options: { idle_timeout: hour, headers_with_underscores_action: "REJECT_REQUEST" },
    route_config: { name: "services", virtual_hosts: [createVirtualHost(options)] },
    http_filters: createFilters(services, transcode),
  };
  const chain: JsonObject = {
    filters: [{ name: "envoy.filters.network.http_connection_manager", typed_config: manager }],
    ...(options.tls === undefined ? {} : { transport_socket: downstreamTls(options.tls) }),
  };
  const config: JsonObject = {
    static_resources: {
      listeners: [{ name: "tercel", address: socketAddress(listen), filter_chains: [chain] }],
      clusters: [createCluster(upstream)],
    },
  };
  return { config, warnings: findWarnings(services, transcode !== undefined) };
}

function createVirtualHost({ services, cors, transcode }: EnvoyConfigOptions): JsonObject {
  const route = { cluster: "servers", timeout: "0s", max_stream_duration: { grpc_timeout_header_max: "0s" } };
  const own = services.map((service) => ({ match: { prefix: `/${service.typeName}/` }, route }));
  // The transcoder rewrites paths before they are routed again, and responds to unknown paths itself.
  const routes = transcode === undefined ? own : [...own, { match: { prefix: "/" }, route }];
  return {
    ...{ name: "services", domains: ["*"], routes },
    ...(cors === undefined ? {} : { typed_per_filter_config: { "envoy.filters.http.cors": createCorsPolicy(cors) } }),
  };
}

function createCorsPolicy({ origins, credentials, maxAgeSeconds, exposeHeaders = [] }: CorsOptions): JsonObject {
  const exact = (origins === "*" ? [] : (origins as readonly string[])).map((origin) => ({ exact: origin }));
  const headers = ["content-type", "authorization", "x-grpc-web", "x-user-agent", "grpc-timeout", "x-request-id"];
  return {
    "@type": typeOf("filters.http.cors.v3.CorsPolicy"),
    allow_origin_string_match: origins === "*" ? [{ safe_regex: { regex: ".*" } }] : exact,
    allow_methods: "GET, POST, PUT, PATCH, DELETE, OPTIONS",
    allow_headers: [...headers, "connect-protocol-version", "connect-timeout-ms", "idempotency-key"].join(","),
    expose_headers: ["grpc-status", "grpc-message", "grpc-status-details-bin", ...exposeHeaders].join(","),
    max_age: String(maxAgeSeconds ?? 7200),
    ...(credentials === true ? { allow_credentials: true } : {}),
  };
}

function createFilters(services: readonly DescService[], transcode: EnvoyConfigOptions["transcode"]): JsonValue[] {
  const filter = (name: string, config: JsonObject): JsonObject => ({
    name: `envoy.filters.http.${name}`,
    typed_config: config,
  });
  const filters = [
    filter("cors", { "@type": typeOf("filters.http.cors.v3.Cors") }),
    filter("grpc_web", { "@type": typeOf("filters.http.grpc_web.v3.GrpcWeb") }),
  ];
  if (transcode !== undefined) {
    const { descriptorSet } = transcode;
    filters.push(
      filter("grpc_json_transcoder", {
        "@type": typeOf("filters.http.grpc_json_transcoder.v3.GrpcJsonTranscoder"),
        ...(typeof descriptorSet === "string"
          ? { proto_descriptor: descriptorSet }
          : { proto_descriptor_bin: Buffer.from(descriptorSet).toString("base64") }),
        services: services.map((service) => service.typeName),
        convert_grpc_status: true,
        // As in createGateway: names in camel case, no default values, and unknown parameters are rejected.
        print_options: { always_print_primitive_fields: false, preserve_proto_field_names: false },
        request_validation_options: { reject_unknown_method: true, reject_unknown_query_parameters: true },
        // %2F in a variable of several segments is not decoded.
        url_unescape_spec: "ALL_CHARACTERS_EXCEPT_SLASH",
      }),
    );
  }
  filters.push(filter("router", { "@type": typeOf("filters.http.router.v3.Router") }));
  return filters;
}

function createCluster({ host, port, tls }: EnvoyConfigOptions["upstream"]): JsonObject {
  return {
    ...{ name: "servers", type: "STRICT_DNS", lb_policy: "ROUND_ROBIN", connect_timeout: "5s" },
    load_assignment: {
      cluster_name: "servers",
      endpoints: [{ lb_endpoints: [{ endpoint: { address: socketAddress({ host, port }) } }] }],
    },
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": typeOf("upstreams.http.v3.HttpProtocolOptions"),
        explicit_http_config: {
          http2_protocol_options: { connection_keepalive: { interval: "300s", timeout: "20s" } },
        },
      },
    },
    health_checks: [
      {
        ...{ timeout: "2s", interval: "5s", unhealthy_threshold: 2, healthy_threshold: 1 },
        grpc_health_check: {},
      },
    ],
    ...(tls === undefined ? {} : { transport_socket: upstreamTls(tls, host) }),
  };
}

function downstreamTls({ certFile, keyFile }: NonNullable<EnvoyConfigOptions["tls"]>): JsonObject {
  return tlsSocket("DownstreamTlsContext", {
    common_tls_context: {
      alpn_protocols: ["h2", "http/1.1"],
      tls_certificates: [{ certificate_chain: { filename: certFile }, private_key: { filename: keyFile } }],
    },
  });
}

function upstreamTls(tls: NonNullable<EnvoyConfigOptions["upstream"]["tls"]>, host: string): JsonObject {
  const { caFile, serverName = host } = tls;
  return tlsSocket("UpstreamTlsContext", {
    sni: serverName,
    common_tls_context: {
      alpn_protocols: ["h2"],
      validation_context: {
        trusted_ca: { filename: caFile },
        match_typed_subject_alt_names: [{ san_type: "DNS", matcher: { exact: serverName } }],
      },
    },
  });
}

function tlsSocket(context: string, config: JsonObject): JsonObject {
  return {
    name: "envoy.transport_sockets.tls",
    typed_config: { "@type": typeOf(`transport_sockets.tls.v3.${context}`), ...config },
  };
}

function socketAddress({ host, port }: EnvoyAddress): JsonObject {
  return { socket_address: { address: host, port_value: port } };
}

function typeOf(name: string): string {
  return `type.googleapis.com/envoy.extensions.${name}`;
}

/** Returns the differences from `createGateway` for these services. */
function findWarnings(services: readonly DescService[], transcodes: boolean): string[] {
  const warnings = [
    "Envoy does not serve Connect, streams as server-sent events or WebSockets, OpenAPI, or GET with a Connect message",
  ];
  if (!transcodes) return warnings;
  warnings.push(
    'errors over REST have the form of google.rpc.Status, not that of AIP-193: createGateway({ errorBody: "status" }) has it too',
  );
  for (const method of services.flatMap((service) => service.methods)) warnings.push(...warningsOf(method));
  return warnings;
}

function warningsOf(method: DescMethod): string[] {
  if (!hasOption(method, http)) return [];
  const name = `${method.parent.typeName}/${method.name}`;
  const found: string[] = [];
  for (const binding of readBindings(method, getOption(method, http))) {
    const { segments, source } = binding.template;
    const many = segments.findIndex((segment) => segment.kind === "many");
    if (segments.slice(many + 1).some((segment) => many !== -1 && segment.kind !== "literal")) {
      found.push(`${name}: Envoy does not take a wildcard after ** (${source})`);
    }
    const hasMask = method.input.fields.some((field) => field.message?.typeName === FieldMaskSchema.typeName);
    if (binding.httpMethod === "PATCH" && hasMask) {
      found.push(`${name}: Envoy does not make a field mask of a PATCH body; clients have to send it`);
    }
  }
  return found;
}

function checkOptions(options: EnvoyConfigOptions): void {
  refuseUnknownOptions(where, options, ["services", "upstream", "listen", "cors", "transcode", "tls"]);
  if (options.services.length === 0)
    throw new TypeError(`${where}: services is empty; there would be nothing to route`);
  checkAddress("upstream", options.upstream, ["host", "port", "tls"]);
  if (options.listen !== undefined) checkAddress("listen", options.listen, ["host", "port"]);
  if (typeof options.cors?.origins === "function") {
    throw new TypeError(`${where}: cors: origins is a function, which Envoy cannot call; list the origins`);
  }
  if (options.cors?.origins === "*" && options.cors.credentials === true) {
    throw new TypeError(`${where}: cors allows every origin with credentials; name the origins instead`);
  }
  if (options.transcode !== undefined)
    refuseUnknownOptions(`${where}: transcode`, options.transcode, ["descriptorSet"]);
  if (options.tls !== undefined) refuseUnknownOptions(`${where}: tls`, options.tls, ["certFile", "keyFile"]);
}

function checkAddress(name: string, address: EnvoyAddress, known: readonly string[]): void {
  refuseUnknownOptions(`${where}: ${name}`, address, known);
  if (typeof address.host !== "string" || address.host === "") {
    throw new TypeError(
      `${where}: ${name}: host is ${JSON.stringify(address.host)}; it has to be a name or an address`,
    );
  }
  checkWholeNumber(`${where}: ${name}`, "port", address.port, 1, 65_535);
  if (address.port === undefined) throw new TypeError(`${where}: ${name}: port is missing`);
}
