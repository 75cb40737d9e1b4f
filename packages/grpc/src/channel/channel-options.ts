import type { Interceptor } from "@connectrpc/connect";
import { checkInterceptors } from "../call/check-interceptors.ts";
import { type JsonCodecOptions, jsonCodecOptionNames } from "../codec/index.ts";
import type { Log } from "../logging/log.ts";
import { checkWholeNumber, refuseUnknownOptions } from "../options/check-options.ts";
import { isAuthority } from "../protocol/authority.ts";
import type { Compression } from "../protocol/compression.ts";
import type { MessageFormat } from "../protocol/content-type.ts";
import { maxAnnouncedMessageBytes } from "../protocol/message-framing.ts";
import type { Clock } from "../time/clock.ts";
import type { ClientTlsOptions, Http2ConnectSettings } from "../transport/client/http2-client-connection.ts";
import type { OnLimit } from "../transport/limit-reporter.ts";
import { checkClientTls } from "../transport/tls/check-tls-options.ts";
import type { TlsFilesOption } from "../transport/tls/tls-files.ts";
import type { BalancerFactory } from "./balancer/index.ts";
import type { ResolverFactory } from "./resolver/index.ts";
import type { ServiceConfigJson } from "./service-config/service-config-json.ts";

type ChannelTls = ClientTlsOptions & TlsFilesOption;

export interface ChannelOptions {
  /** Run around every call; the first is the outermost. They are Connect's interceptors. Default: none. */
  interceptors?: readonly Interceptor[];
  /**
   * `true`, or what `node:tls` takes (`ca`, `cert`, `key` …), with `files` that may change or without, or a function that
   * returns it: it is called for each connection, so that a renewed certificate needs no new channel. The server's certificate
   * has to be for the host of `authority`, or for `servername` where it is set. Default: cleartext.
   */
  tls?: true | ChannelTls | (() => ChannelTls);
  /** Deadline of calls that do not set one. Default: none, as in gRPC; set one. */
  defaultTimeoutMs?: number;
  /**
   * Calls wait for a connection instead of failing without one. Default: what the service config says, and without it
   * false, as in gRPC. The context key `waitForReady` decides for a single call.
   */
  waitForReady?: boolean;
  /**
   * gRPC's service config, as an object or JSON text: load balancing policy, and for each method time-out, retries, hedging and
   * limits. In force where the resolver brings none. Default: nothing of all that.
   */
  serviceConfig?: ServiceConfigJson | string;
  /** Load balancing policies next to the built-in ones, for service configs to name. One of a built-in name replaces it. */
  balancers?: readonly BalancerFactory[];
  /** Resolvers next to the built-in ones, for targets of their scheme: `discovery:///name`, for instance. One of a built-in scheme replaces it. */
  resolvers?: readonly ResolverFactory[];
  /** Calls open at once, the waiting ones included; one more fails with ResourceExhausted. Default: any number. */
  maxConcurrentCalls?: number;
  /**
   * Bytes of requests that a call may keep in order to send them again. A larger call is made once. Default 256 KiB, as in
   * gRPC; 0 keeps nothing.
   */
  retryBufferBytesPerCall?: number;
  /** The same for all calls together. Default 16 MiB, as in gRPC. */
  retryBufferBytes?: number;
  /** Compresses requests. Default: not, because a server need not understand it; `gzipCompression` is there. */
  sendCompression?: Compression;
  /** Encodings that responses may use. Default: gzip. */
  acceptCompressions?: readonly Compression[];
  /** Smaller requests are sent as they are. Default 1024. `compressMessages` decides for single calls and messages. */
  compressMinBytes?: number;
  /** Largest response message, before and after decompression. Default 4 MiB. */
  maxReceiveMessageBytes?: number;
  /** Largest request message. Default 4 GiB - 1. */
  maxSendMessageBytes?: number;
  /**
   * Memory that a response message may take once it is decoded, by an estimate. A message is refused with ResourceExhausted as soon as it
   * takes more than this, and more than 16 times the bytes read of it. Default 16 MiB, enough for lists of 100,000 small messages: an empty
   * message takes two bytes to send and some 50 of memory. A server has 4 MiB: a channel chooses its servers, and how many calls it has open.
   */
  maxDecodedMessageBytes?: number;
  /**
   * Keep the fields of responses that the schema does not know, extensions among them. Default true: an application that reads a message, changes it and
   * writes it back would otherwise erase what newer servers have put into it. They take the memory of their bytes until something reads
   * `$unknown`, and count against `maxDecodedMessageBytes` as what they take then.
   */
  keepUnknownFields?: boolean;
  /** How messages are written. Default "proto". */
  format?: MessageFormat;
  /** For messages as JSON: types that google.protobuf.Any may hold there, and whether unknown fields are skipped (default true). */
  jsonOptions?: JsonCodecOptions;
  /** From the first packet to the server's first words. Default 20 s. */
  connectTimeoutMs?: number;
  /** Without calls for this long, the channel gives its connections up until the next call. Default 30 min. */
  idleTimeoutMs?: number;
  /** Pings that find out whether a silent server is still there. Default: none. */
  keepalive?: { timeMs: number; timeoutMs?: number; permitWithoutCalls?: boolean };
  /**
   * What the server is called, as `host` or `host:port`: the `:authority` that calls carry and, without the port, the name that TLS
   * verifies and sends as SNI. It holds for every address, whatever the resolver calls it. Default: `tls.servername`, or the
   * target's host and port; the name of the service for `discovery:///name`, and `localhost` for a Unix socket.
   */
  authority?: string;
  /** Put before our own name in `user-agent`. */
  userAgentPrefix?: string;
  /** The engine's limits, for expert use. */
  limits?: Http2ConnectSettings["limits"];
  /** Where it is reported that a server has exceeded a limit. Default: warnings and errors as JSON lines on standard error. */
  log?: Log;
  /** Told of each limit that a server strikes, for counting. The log has a line of it in any case, but not of every one. */
  onLimit?: OnLimit;
  /** For tests. */
  clock?: Clock;
  /** For tests: a number from 0 up to 1, by which the pauses before retries are varied. */
  random?: () => number;
}

const optionNames: readonly (keyof ChannelOptions)[] = [
  "interceptors",
  "tls",
  "defaultTimeoutMs",
  "waitForReady",
  "serviceConfig",
  "balancers",
  "resolvers",
  "maxConcurrentCalls",
  "retryBufferBytesPerCall",
  "retryBufferBytes",
  "sendCompression",
  "acceptCompressions",
  "compressMinBytes",
  "maxReceiveMessageBytes",
  "maxSendMessageBytes",
  "maxDecodedMessageBytes",
  "keepUnknownFields",
  "format",
  "jsonOptions",
  "connectTimeoutMs",
  "idleTimeoutMs",
  "keepalive",
  "authority",
  "userAgentPrefix",
  "limits",
  "log",
  "onLimit",
  "clock",
  "random",
];

/** gRFC A8: pinging more often than this would only trouble the server. */
const minKeepaliveTimeMs = 10_000;

/** @throws TypeError or RangeError that says which option is wrong and what it may be */
export function checkChannelOptions(options: ChannelOptions): void {
  const where = "createChannel";
  refuseUnknownOptions(where, options, optionNames);
  checkInterceptors(where, options.interceptors);
  const { tls } = options;
  if (tls !== undefined && tls !== true && typeof tls !== "function") checkClientTls(where, tls);
  checkWholeNumber(where, "defaultTimeoutMs", options.defaultTimeoutMs, 1, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "compressMinBytes", options.compressMinBytes, 0, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "maxReceiveMessageBytes", options.maxReceiveMessageBytes, 0, maxAnnouncedMessageBytes);
  checkWholeNumber(where, "maxSendMessageBytes", options.maxSendMessageBytes, 0, maxAnnouncedMessageBytes);
  checkWholeNumber(where, "maxDecodedMessageBytes", options.maxDecodedMessageBytes, 0, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "connectTimeoutMs", options.connectTimeoutMs, 1, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "idleTimeoutMs", options.idleTimeoutMs, 0, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "maxConcurrentCalls", options.maxConcurrentCalls, 1, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "retryBufferBytesPerCall", options.retryBufferBytesPerCall, 0, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "retryBufferBytes", options.retryBufferBytes, 0, Number.MAX_SAFE_INTEGER);
  const { keepUnknownFields } = options;
  if (keepUnknownFields !== undefined && typeof keepUnknownFields !== "boolean") {
    throw new TypeError(
      `${where}: keepUnknownFields is ${JSON.stringify(keepUnknownFields)}; it has to be true or false`,
    );
  }
  if (options.format !== undefined && options.format !== "proto" && options.format !== "json") {
    throw new RangeError(`${where}: format is ${JSON.stringify(options.format)}; it has to be "proto" or "json"`);
  }
  if (options.authority !== undefined && !isAuthority(options.authority)) {
    const found = JSON.stringify(options.authority);
    throw new TypeError(
      `${where}: authority is ${found}; it has to be a host, perhaps with a port, such as "orders.internal:443"`,
    );
  }
  if (options.jsonOptions !== undefined) {
    refuseUnknownOptions(`${where}: jsonOptions`, options.jsonOptions, jsonCodecOptionNames);
  }
  for (const { scheme, create } of options.resolvers ?? []) {
    if (/^[a-z][a-z0-9+.-]*$/.test(scheme) && typeof create === "function") continue;
    throw new TypeError(`${where}: resolvers holds ${JSON.stringify(scheme)}, which is not a resolver factory`);
  }
  if (options.keepalive === undefined) return;
  refuseUnknownOptions(`${where}: keepalive`, options.keepalive, ["timeMs", "timeoutMs", "permitWithoutCalls"]);
  checkWholeNumber(where, "keepalive.timeMs", options.keepalive.timeMs, minKeepaliveTimeMs, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "keepalive.timeoutMs", options.keepalive.timeoutMs, 1, Number.MAX_SAFE_INTEGER);
}
