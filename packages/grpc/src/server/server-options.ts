import type { ConnectRouter, Interceptor } from "@connectrpc/connect";
import { checkInterceptors } from "../call/check-interceptors.ts";
import type { RawMethods } from "../call/raw-call.ts";
import type { OnUnhandledCall } from "../call/unhandled-call.ts";
import { type JsonCodecOptions, jsonCodecOptionNames } from "../codec/index.ts";
import type { Log } from "../logging/log.ts";
import { refuseUnknownOptions } from "../options/check-options.ts";
import type { Compression } from "../protocol/compression.ts";
import type { Gateway } from "../protocols/gateway.ts";
import type { Clock } from "../time/clock.ts";
import type { OnLimit } from "../transport/limit-reporter.ts";
import type { ConnectionOptions, ServerTlsOptions } from "../transport/server/listen.ts";
import { checkServerTls } from "../transport/tls/check-tls-options.ts";
import type { TlsFilesOption } from "../transport/tls/tls-files.ts";
import type { MethodLimits } from "./method-limits.ts";

export interface ServerOptions {
  /** Registers services and methods: Connect's router function, as it is. */
  routes: (router: ConnectRouter) => void;
  /**
   * Methods that are served as bytes, found by path, see `@tercel/grpc/raw`. `routes` comes first. **Interceptors do not run for them**, those that
   * check the caller's identity included. Default: none.
   */
  rawMethods?: RawMethods;
  /** Run around every call; the first is the outermost. They are Connect's interceptors. Default: none. */
  interceptors?: readonly Interceptor[];
  /** Certificate and key as `node:tls` takes them, or `files` that may change. Default: cleartext. */
  tls?: ServerTlsOptions & TlsFilesOption;
  /**
   * Cleartext is intended, for example behind a proxy or in a network of its own. Default false: a server without `tls` that listens where
   * others can reach it says so once in the log.
   */
  insecure?: boolean;
  /** Largest request message, before and after decompression. Default 4 MiB, as in gRPC everywhere. */
  maxReceiveMessageBytes?: number;
  /** Largest response message. Default 4 GiB - 1, the most that a message's length can say. */
  maxSendMessageBytes?: number;
  /**
   * Memory that a request message may take once it is decoded, by an estimate. A message is refused with ResourceExhausted as soon as it
   * takes more than this, and more than 16 times the bytes read of it. Default 4 MiB, so that tiny requests take no more than large ones: an
   * empty message takes two bytes to send and some 50 of memory. Few honest lists take more than 16 times their bytes.
   */
  maxDecodedMessageBytes?: number;
  /**
   * Keep the fields of requests that the schema does not know, extensions among them: a proxy needs them to pass a message on whole, and
   * `getExtension` to find anything. Default false: a handler does not see them, and they would only take memory that a client chooses. Dropped or kept,
   * their number counts against `maxDecodedMessageBytes`.
   */
  keepUnknownFields?: boolean;
  /** Encodings that requests may use, and responses from `compressMinBytes` on if the client accepts them. Default: gzip. */
  compressions?: readonly Compression[];
  /**
   * Responses of this size and more are compressed. Default: none over gRPC, because gzip takes some 20 µs for each KiB, longer than sending it
   * within a data centre; from 1024 bytes on over Connect, gRPC-Web and REST, because below gzip saves less than a packet. `compressMessages`
   * decides for single calls and messages.
   */
  compressMinBytes?: number;
  /** For messages as JSON: types that google.protobuf.Any may hold there, and whether unknown fields are skipped (default true). */
  jsonOptions?: JsonCodecOptions;
  /** The longest time a call may take, whatever deadline the client sets; calls without a deadline get this one. Default: no limit. */
  maxTimeoutMs?: number;
  /** Calls on one connection at once. Default 200. */
  maxConcurrentStreams?: number;
  /**
   * Calls on all connections at once, each from its first byte until its handler has ended. One more is refused without having been
   * begun: clients send it once more, elsewhere if they can, and then it fails with Unavailable. Default: no limit.
   */
  maxConcurrentCalls?: number;
  /** Other limits of message size for single methods and services; the more precise entry wins. Default: none. */
  methodLimits?: readonly MethodLimits[];
  /** Size of a request's metadata by RFC 9113 §6.5.2. Default 16 KiB. */
  maxMetadataBytes?: number;
  /** Connections at once. Default 10,000. */
  maxConnections?: number;
  /**
   * Connections at once from one IPv4 address or one /64 of IPv6. Default 512, room for an office with one address. This
   * machine's own addresses, where proxies are, and Unix sockets are not counted.
   */
  maxConnectionsPerAddress?: number;
  /**
   * TLS handshakes at once; further clients wait for their turn. Default 256. One address, or /64 of IPv6, can have half of them, and each
   * further one half of the rest.
   */
  maxTlsHandshakes?: number;
  /** A connection without calls is closed after this. Default 15 min, over Unix sockets never; 0 means never. */
  maxConnectionIdleMs?: number;
  /** Pings that find out whether a silent client is still there. Default: after 2 h of silence, answered within 20 s. */
  keepalive?: { timeMs?: number; timeoutMs?: number };
  /**
   * How often clients may ping (gRFC A8). Default: every 5 min during calls, every 2 h without; `permitWithoutCalls` makes
   * the first hold for both. The third ping too many ends the connection with "too_many_pings".
   */
  keepaliveEnforcement?: { minTimeMs?: number; permitWithoutCalls?: boolean };
  /** A connection older than this, ±10 %, is drained, so that clients spread again (gRFC A9). Default: never. */
  maxConnectionAgeMs?: number;
  /** How long that drain may take before running calls are cancelled. Default: any time. */
  maxConnectionAgeGraceMs?: number;
  /** The engine's other limits, for expert use. */
  limits?: ConnectionOptions["limits"];
  /** Serves HTTP/1.1 connections on the same port, for example `http.createServer(…)`. Default: they get a 505. */
  http1Server?: ConnectionOptions["http1Server"];
  /** Serves the same methods by REST, Connect and gRPC-Web: `createGateway` of `@tercel/gateway`. In place of `http1Server`. Default: gRPC alone. */
  gateway?: Gateway;
  /** Where failures are logged that are not sent to the client. Default: warnings and errors as JSON lines on standard error. */
  log?: Log;
  /**
   * For development: clients see google.rpc.DebugInfo, and get one with the stack of whatever a handler throws by accident.
   * Default false: such details are taken out of every error, those of other services included.
   */
  exposeDebugInfo?: boolean;
  /** Told of each limit that a client strikes, for counting. The log has a line of it in any case, but not of every one. */
  onLimit?: OnLimit;
  /**
   * Told of each request that ended before interceptors and handler had it, for counting: to a method that is not served, with
   * metadata that cannot be read, or over before its message was there. The log has a line of it in any case, but not of every one.
   */
  onUnhandledCall?: OnUnhandledCall;
  /** For tests. */
  clock?: Clock;
}

const optionNames: readonly (keyof ServerOptions)[] = [
  "routes",
  "rawMethods",
  "interceptors",
  "tls",
  "insecure",
  "maxReceiveMessageBytes",
  "maxSendMessageBytes",
  "maxDecodedMessageBytes",
  "keepUnknownFields",
  "compressions",
  "compressMinBytes",
  "jsonOptions",
  "maxTimeoutMs",
  "maxConcurrentStreams",
  "maxConcurrentCalls",
  "methodLimits",
  "maxMetadataBytes",
  "maxConnections",
  "maxConnectionsPerAddress",
  "maxTlsHandshakes",
  "maxConnectionIdleMs",
  "keepalive",
  "keepaliveEnforcement",
  "maxConnectionAgeMs",
  "maxConnectionAgeGraceMs",
  "limits",
  "http1Server",
  "gateway",
  "log",
  "exposeDebugInfo",
  "onLimit",
  "onUnhandledCall",
  "clock",
];

/** @throws TypeError or RangeError that says which option is wrong and what it may be */
export function checkServerOptions(options: ServerOptions): void {
  refuseUnknownOptions("createServer", options, optionNames);
  if (typeof options.routes !== "function") {
    throw new TypeError(
      "createServer: routes has to be a function that takes a router, for example (router) => router.service(…)",
    );
  }
  if (options.rawMethods !== undefined && typeof options.rawMethods?.find !== "function") {
    throw new TypeError(
      "createServer: rawMethods has to be an object with a function find, for example { find: () => method }",
    );
  }
  checkInterceptors("createServer", options.interceptors);
  if (options.tls !== undefined) checkServerTls("createServer", options.tls);
  for (const name of ["exposeDebugInfo", "insecure", "keepUnknownFields"] as const) {
    const value = options[name];
    if (value === undefined || typeof value === "boolean") continue;
    throw new TypeError(`createServer: ${name} is ${JSON.stringify(value)}; it has to be true or false`);
  }
  if (options.gateway !== undefined && options.http1Server !== undefined) {
    throw new TypeError(
      "createServer: gateway and http1Server exclude each other; give the gateway a fallback for what it does not serve",
    );
  }
  if (options.gateway !== undefined && typeof options.gateway.attach !== "function") {
    throw new TypeError("createServer: gateway has to be what createGateway of @tercel/gateway returns");
  }
  if (options.jsonOptions !== undefined) {
    refuseUnknownOptions("createServer: jsonOptions", options.jsonOptions, jsonCodecOptionNames);
  }
  if (options.keepalive !== undefined) {
    refuseUnknownOptions("createServer: keepalive", options.keepalive, ["timeMs", "timeoutMs"]);
  }
  if (options.keepaliveEnforcement !== undefined) {
    refuseUnknownOptions("createServer: keepaliveEnforcement", options.keepaliveEnforcement, [
      "minTimeMs",
      "permitWithoutCalls",
    ]);
  }
}
