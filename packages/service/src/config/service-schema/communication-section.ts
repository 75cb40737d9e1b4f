import { array, description, type InferOutput, optional, pipe, strictObject, transform } from "valibot";
import { choice, flag, port, text, wholeNumber } from "../values/basic-values.ts";
import { byteSize } from "../values/byte-size.ts";
import { dropUndefined } from "../values/drop-undefined.ts";
import { duration } from "../values/duration.ts";
import type { Profile } from "./profile.ts";
import { serverTlsSection } from "./tls-section.ts";

/** Pings, on the server and on the clients of this service. */
export const keepaliveSection = pipe(
  strictObject({
    time: optional(
      duration({
        minMs: 1000,
        description: "How long a peer may be silent before it is pinged. Clients ping every 10 s at most.",
      }),
      "2h",
    ),
    timeout: optional(duration({ minMs: 1, description: "How long it may take to answer a ping." }), "20s"),
    permit_without_stream: optional(
      flag({ description: "Clients of this service ping without calls too, and its server lets clients do so." }),
      false,
    ),
    min_time: optional(
      duration({
        description:
          "How often clients may ping the server; the third ping too many ends the connection. Clients ping every 10 s at most: the default leaves a second for the network.",
      }),
      "9s",
    ),
  }),
  transform(({ time, timeout, permit_without_stream: permitWithoutCalls, min_time: minTimeMs }) => ({
    timeMs: time,
    timeoutMs: timeout,
    permitWithoutCalls,
    minTimeMs,
  })),
);

export const compressionSection = pipe(
  strictObject({
    enabled: optional(flag(), true),
    algorithm: optional(choice(["gzip"]), "gzip"),
    min_size: optional(byteSize({ description: "Smaller messages are sent as they are." }), "1KiB"),
  }),
  transform(({ min_size: minBytes, ...rest }) => ({ ...rest, minBytes })),
);

/** `communication.providers.grpc`: the gRPC server. */
export function grpcSection({ isProduction }: Profile) {
  return pipe(
    strictObject({
      host: optional(
        text({
          minLength: 1,
          expects: "a host or an address",
          description: "The interface to listen on. Default: `service.host`.",
        }),
      ),
      port: optional(port({ description: "Default: `service.port`, else 50051. 0 picks a free one." })),
      timeout: optional(
        duration({
          minMs: 1,
          reload: true,
          description: "The deadline of unary and client-stream calls whose client set none.",
        }),
      ),
      max_timeout: optional(
        duration({ minMs: 1, reload: true, description: "The longest deadline that a client gets." }),
      ),
      max_recv_msg_size: optional(byteSize({ description: "The largest request." }), "4MiB"),
      max_send_msg_size: optional(byteSize({ description: "The largest response." }), 0xffff_ffff),
      max_concurrent_streams: optional(
        wholeNumber(1, 0x7fff_ffff, { description: "Calls on one connection at once." }),
        200,
      ),
      max_concurrent_calls: optional(
        wholeNumber(1, 0x7fff_ffff, { description: "Calls on all connections at once. Default: no limit." }),
      ),
      max_connections: optional(wholeNumber(1, 1_000_000, { description: "Connections at once." }), 10_000),
      max_connection_idle: optional(
        duration({ description: "A connection without calls is closed after this; 0 means never." }),
        "15m",
      ),
      max_connection_age: optional(
        duration({ description: "An older connection is drained, so that clients spread again. Default: never." }),
      ),
      max_connection_age_grace: optional(duration({ description: "How long that drain may take. Default: any time." })),
      initial_window_size: optional(
        byteSize({
          min: 1,
          max: 0x7fff_ffff,
          description: "Flow control for one stream. Windows that are set do not grow.",
        }),
      ),
      initial_conn_window_size: optional(
        byteSize({ min: 65_535, max: 0x7fff_ffff, description: "Flow control for a connection." }),
      ),
      keepalive: optional(keepaliveSection),
      compression: optional(compressionSection, {}),
      tls: optional(serverTlsSection, {}),
      reflection: optional(flag({ description: "Tools such as grpcurl can list the methods." }), !isProduction),
      debug_info: optional(flag({ description: "Errors carry stacks (google.rpc.DebugInfo)." }), !isProduction),
    }),
    transform((written) =>
      dropUndefined({
        host: written.host,
        port: written.port,
        defaultTimeoutMs: written.timeout,
        maxTimeoutMs: written.max_timeout,
        maxReceiveMessageBytes: written.max_recv_msg_size,
        maxSendMessageBytes: written.max_send_msg_size,
        maxConcurrentStreams: written.max_concurrent_streams,
        maxConcurrentCalls: written.max_concurrent_calls,
        maxConnections: written.max_connections,
        maxConnectionIdleMs: written.max_connection_idle,
        maxConnectionAgeMs: written.max_connection_age,
        maxConnectionAgeGraceMs: written.max_connection_age_grace,
        streamWindowBytes: written.initial_window_size,
        connectionWindowBytes: written.initial_conn_window_size,
        keepalive: written.keepalive,
        compression: written.compression,
        tls: written.tls,
        reflection: written.reflection,
        debugInfo: written.debug_info,
      }),
    ),
  );
}

const origin = text({
  pattern: /^(?:\*|[a-z][a-z0-9+.-]*:\/\/[^/\s]+)$/,
  expects: "an origin such as https://app.example.com, without a path, or * for all",
});

const corsSection = pipe(
  strictObject({
    origins: optional(
      pipe(array(origin), description("Which web pages may call: `https://app.example.com`, `*` for all.")),
      [],
    ),
    credentials: optional(
      flag({ secret: false, description: "Pages may send cookies and client certificates. Not with `*`." }),
      false,
    ),
  }),
  description("Web pages of other origins. Default: none may call."),
);

/** `communication.providers.http`: REST, gRPC-Web and Connect next to gRPC. */
export function httpSection({ isProduction }: Profile) {
  return pipe(
    strictObject({
      host: optional(
        text({
          minLength: 1,
          expects: "a host or an address",
          description: "The interface to listen on. Default: `service.host`.",
        }),
      ),
      port: optional(
        port({ description: "Default: `service.port` where gRPC has a port of its own, else gRPC's port." }),
      ),
      protocols: optional(
        array(choice(["rest", "connect", "grpc-web"], { description: "What is served next to gRPC." })),
        ["rest", "connect", "grpc-web"],
      ),
      cors: optional(corsSection, {}),
      unknown_query: optional(
        choice(["error", "ignore"], { description: "What becomes of query parameters that no field has the name of." }),
        "error",
      ),
      openapi: optional(
        strictObject({
          enabled: optional(flag({ description: "Serves the description of the REST API." }), !isProduction),
          path: optional(text({ pattern: pagePath, expects: "a path such as /openapi.json" }), "/openapi.json"),
          docs: optional(
            text({ pattern: pagePath, expects: "a path such as /docs", description: "A page that shows it." }),
            "/docs",
          ),
        }),
        {},
      ),
    }),
    transform(({ unknown_query: unknownQuery, ...rest }) => dropUndefined({ ...rest, unknownQuery })),
  );
}

const pagePath = /^\/[A-Za-z0-9/._-]*$/;

export type GrpcSection = InferOutput<ReturnType<typeof grpcSection>>;
export type HttpSection = InferOutput<ReturnType<typeof httpSection>>;
export type KeepaliveSection = InferOutput<typeof keepaliveSection>;
