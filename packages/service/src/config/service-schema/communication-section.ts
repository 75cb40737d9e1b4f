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
        description: "Idle time after which a peer is pinged. Clients ping every 10 s at most.",
      }),
      "2h",
    ),
    timeout: optional(duration({ minMs: 1, description: "Timeout of a ping." }), "20s"),
    permit_without_stream: optional(
      flag({ description: "Whether clients of this service also ping without calls, and its server allows that." }),
      false,
    ),
    min_time: optional(
      duration({
        description:
          "Minimum interval of clients' pings; the third violation closes the connection. Clients ping every 10 s at most: the default leaves a second for the network.",
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

/** @param enabledDescription what is compressed with this section, and without it */
export function compressionSection(enabledDescription: string) {
  return pipe(
    strictObject({
      enabled: optional(flag({ description: enabledDescription }), true),
      algorithm: optional(choice(["gzip"], { description: "Compression algorithm." }), "gzip"),
      min_size: optional(byteSize({ description: "Smaller messages are not compressed." }), "1KiB"),
    }),
    transform(({ min_size: minBytes, ...rest }) => ({ ...rest, minBytes })),
  );
}

/** `communication.providers.grpc`: the gRPC server. */
export function grpcSection({ isProduction }: Profile) {
  return pipe(
    strictObject({
      host: optional(
        text({
          minLength: 1,
          expects: "a host or an address",
          description: "Host or address to listen on. Default: `service.host`.",
        }),
      ),
      port: optional(port({ description: "Default: `service.port`, else 50051. 0 chooses a free port." })),
      timeout: optional(
        duration({
          minMs: 1,
          reload: true,
          description: "Deadline of unary and client-streaming calls without one.",
        }),
      ),
      max_timeout: optional(duration({ minMs: 1, reload: true, description: "Maximum deadline." })),
      max_recv_msg_size: optional(byteSize({ description: "Maximum size of a request." }), "4MiB"),
      max_send_msg_size: optional(byteSize({ description: "Maximum size of a response." }), 0xffff_ffff),
      max_concurrent_streams: optional(
        wholeNumber(1, 0x7fff_ffff, { description: "Concurrent calls per connection." }),
        200,
      ),
      max_concurrent_calls: optional(
        wholeNumber(1, 0x7fff_ffff, { description: "Concurrent calls on all connections. Default: no limit." }),
      ),
      max_connections: optional(wholeNumber(1, 1_000_000, { description: "Concurrent connections." }), 10_000),
      max_connection_idle: optional(
        duration({ description: "Idle time after which a connection is closed; 0 means never." }),
        "15m",
      ),
      max_connection_age: optional(
        duration({ description: "Age at which a connection is drained, so that clients rebalance. Default: never." }),
      ),
      max_connection_age_grace: optional(duration({ description: "Time limit of that drain. Default: none." })),
      initial_window_size: optional(
        byteSize({
          min: 1,
          max: 0x7fff_ffff,
          description: "Flow control window of a stream. A configured window does not grow.",
        }),
      ),
      initial_conn_window_size: optional(
        byteSize({ min: 65_535, max: 0x7fff_ffff, description: "Flow control window of a connection." }),
      ),
      keepalive: optional(keepaliveSection),
      compression: optional(
        compressionSection(
          "Compresses responses if the client accepts it. Without this section, only Connect, gRPC-Web and REST responses are.",
        ),
      ),
      tls: optional(serverTlsSection, {}),
      reflection: optional(
        flag({ description: "Serves reflection, so that tools such as grpcurl can list the methods." }),
        !isProduction,
      ),
      debug_info: optional(flag({ description: "Adds stack traces to errors (google.rpc.DebugInfo)." }), !isProduction),
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
      pipe(array(origin), description("Origins that may call: `https://app.example.com`, `*` for all.")),
      [],
    ),
    credentials: optional(
      flag({ secret: false, description: "Allows cookies and client certificates. Not with `*`." }),
      false,
    ),
  }),
  description("CORS: web pages of other origins. Default: none may call."),
);

/** `communication.providers.http`: REST, gRPC-Web and Connect next to gRPC. */
export function httpSection({ isProduction }: Profile) {
  return pipe(
    strictObject({
      host: optional(
        text({
          minLength: 1,
          expects: "a host or an address",
          description: "Host or address to listen on. Default: `service.host`.",
        }),
      ),
      port: optional(port({ description: "Default: `service.port` if gRPC has its own port, else gRPC's port." })),
      protocols: optional(
        array(choice(["rest", "connect", "grpc-web"], { description: "A protocol to serve in addition to gRPC." })),
        ["rest", "connect", "grpc-web"],
      ),
      cors: optional(corsSection, {}),
      unknown_query: optional(
        choice(["error", "ignore"], { description: "How unknown query parameters are handled." }),
        "error",
      ),
      openapi: optional(
        strictObject({
          enabled: optional(flag({ description: "Serves the OpenAPI description of the REST API." }), !isProduction),
          path: optional(
            text({
              pattern: pagePath,
              expects: "a path such as /openapi.json",
              description: "Path of the OpenAPI description.",
            }),
            "/openapi.json",
          ),
          docs: optional(
            text({
              pattern: pagePath,
              expects: "a path such as /docs",
              description: "Path of the page that displays it.",
            }),
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
