import type { DescService } from "@bufbuild/protobuf";
import { createJsonCodec, createProtobufCodec, defaultMaxDecodedRequestBytes } from "../codec/index.ts";
import { logCodecFault } from "../codec/log-codec-fault.ts";
import type { Log } from "../logging/log.ts";
import { safeLog } from "../logging/safe-log.ts";
import { checkWholeNumber, refuseUnknownOptions } from "../options/check-options.ts";
import { defaultCompressMinBytes } from "../protocol/compression.ts";
import { gzipCompression } from "../protocol/gzip-compression.ts";
import { maxAnnouncedMessageBytes } from "../protocol/message-framing.ts";
import { systemClock } from "../time/clock.ts";
import { DeadlineWheel } from "../time/deadline-wheel.ts";
import { TurnShare } from "../time/turn-share.ts";
import {
  type CreateListener,
  createListener,
  isLoopback,
  type ListenAddress,
  type Listener,
  type ServerConnection,
  type ServerTlsOptions,
} from "../transport/server/listen.ts";
import { ResponseHeads } from "../transport/server/response-heads.ts";
import type { ServerCallSettings } from "../transport/server/server-call-settings.ts";
import { UnhandledCalls } from "../transport/server/unhandled-calls.ts";
import { checkServerTls } from "../transport/tls/check-tls-options.ts";
import { withFiles } from "../transport/tls/tls-files.ts";
import { connectionOptions } from "./connection-options.ts";
import { explainListenError } from "./listen-error.ts";
import { MethodLimitTable } from "./method-limits.ts";
import { MethodTable } from "./router.ts";
import { RoutedAndRawMethods } from "./served-methods.ts";
import { checkServerOptions, type ServerOptions } from "./server-options.ts";

/** Where to listen: a TCP port (`host` defaults to 127.0.0.1, so that nothing is exposed by accident), or a Unix socket. */
export type ListenOptions =
  | { readonly port: number; readonly host?: string; readonly path?: undefined }
  | {
      readonly path: string;
      /** File permissions of the Unix socket: they decide which users can connect. Default 0600: processes of the same user. */
      readonly mode?: number;
    };

/** What `listen` answers with: the port that was taken, or the path. */
export type ListenAddressFor<Options extends ListenOptions> = Extract<
  ListenAddress,
  Options extends { readonly path: string } ? { readonly path: string } : { readonly port: number }
>;

export interface CloseOptions {
  /** Calls that still run after this many milliseconds are cancelled. Default 30,000. 0 cancels them at once. */
  deadlineMs?: number;
}

export interface Server {
  /** Starts to serve. Port 0 takes a free port; the result has it. Rejects when the address is not available. */
  listen<Options extends ListenOptions>(options: Options): Promise<ListenAddressFor<Options>>;
  /** Where the server listens; undefined before `listen` and after `close`. */
  readonly address: ListenAddress | undefined;
  /**
   * Takes another certificate and key, or whatever `tls` names, for new connections; open connections continue with
   * theirs. What `tls` does not name is as the options had it. Throws and changes nothing when it cannot be used.
   */
  updateTls(tls: ServerTlsOptions): void;
  /** Calls since the beginning that reached a method; what is open is the rest. It counts on. */
  readonly calls: { readonly started: number; readonly succeeded: number; readonly failed: number };
  /** Connections that are open now. */
  readonly openConnections: number;
  /** Calls that run now, on all connections. */
  readonly openCalls: number;
  /** The services that are routed, for reflection and documentation. */
  readonly services: readonly DescService[];
  /**
   * Drains: stops accepting connections, sends clients GOAWAY, lets calls end until the deadline, then cancels what
   * is left. Resolves when nothing is left. A second call with a shorter deadline shortens the first.
   */
  close(options?: CloseOptions): Promise<void>;
}

const defaultMaxReceiveMessageBytes = 4 * 1024 * 1024;
const defaultCloseDeadlineMs = 30_000;
/** File permissions for owner, group and all. */
const maxSocketMode = 0o777;

/**
 * A gRPC server.
 *
 * @throws TypeError for an unknown option, RangeError for a number out of its bounds
 */
export function createServer(options: ServerOptions): Server {
  return serverOver(options, createListener);
}

/** For the in-memory transport: a server whose connections come from another kind of listener. */
export function serverOver(options: ServerOptions, makeListener: CreateListener): Server {
  checkServerOptions(options);
  checkNumbers(options);
  const messageLimits = {
    maxReceiveMessageBytes: options.maxReceiveMessageBytes ?? defaultMaxReceiveMessageBytes,
    maxSendMessageBytes: options.maxSendMessageBytes ?? maxAnnouncedMessageBytes,
  };
  const methodLimits = new MethodLimitTable(options.methodLimits ?? [], messageLimits);
  const clock = options.clock ?? systemClock;
  const log = safeLog(options.log);
  const deadlines = new DeadlineWheel(clock, false);
  const compressions = options.compressions ?? [gzipCompression];
  const maxDecodedMessageBytes = options.maxDecodedMessageBytes ?? defaultMaxDecodedRequestBytes;
  const keepUnknownFields = options.keepUnknownFields ?? false;
  const codecs = {
    proto: createProtobufCodec({ keepUnknownFields, maxDecodedMessageBytes, onFault: logCodecFault(log) }),
    json: createJsonCodec(options.jsonOptions, { maxDecodedMessageBytes }),
  };
  const table = new MethodTable(codecs, options.interceptors ?? [], methodLimits);
  options.routes(table);
  methodLimits.refuseUnknownMethods(table.services);
  const { rawMethods } = options;
  const methods = rawMethods === undefined ? table : new RoutedAndRawMethods(table, rawMethods, messageLimits);
  // Within a data centre gzip takes longer than it saves, so no other gRPC server compresses by default either.
  const compressMinBytes = options.compressMinBytes ?? Number.POSITIVE_INFINITY;
  const counts = { started: 0, succeeded: 0, failed: 0 };
  const calls: ServerCallSettings = {
    counts,
    responseHeads: new ResponseHeads(compressions),
    deadlines,
    sendShare: new TurnShare(),
    receiveShare: new TurnShare(),
    clock,
    log,
    exposeDebugInfo: options.exposeDebugInfo ?? false,
    unhandled: new UnhandledCalls(log, options.onUnhandledCall, clock),
  };
  const plan = { methods, compressions, compressMinBytes, maxTimeoutMs: options.maxTimeoutMs, log };
  const connections = connectionOptions(options, plan);
  const gateway = options.gateway?.attach({
    ...calls,
    methods: table,
    services: [...table.services],
    json: codecs.json,
    registry: options.jsonOptions?.registry,
    compressions,
    // Browsers are farther away.
    compressMinBytes: options.compressMinBytes ?? defaultCompressMinBytes,
    maxTimeoutMs: options.maxTimeoutMs,
    callLimit: connections.streamPlaces,
  });
  const listener = makeListener(
    plan,
    gateway === undefined ? calls : { ...calls, serveOther: (exchange) => gateway.serve(exchange) },
    gateway === undefined ? connections : { ...connections, http1Server: gateway.http1Server },
  );
  const stopFollowing = followFiles(options.tls, log, listener);
  let closing: Promise<void> | undefined;
  const server: Server = {
    calls: counts,
    services: [...table.services],
    get address() {
      return listener.address;
    },
    get openConnections() {
      return listener.openConnections + (gateway?.openConnections ?? 0);
    },
    get openCalls() {
      return counts.started - counts.succeeded - counts.failed;
    },
    async listen<Options extends ListenOptions>(where: Options) {
      refuseUnknownOptions("listen", where, ["host", "port", "path", "mode"]);
      if (closing !== undefined) throw new Error("the server was closed; create another one");
      if (where.path === undefined) {
        const address = { host: where.host ?? "127.0.0.1", port: where.port };
        try {
          await listener.listen(address);
        } catch (error) {
          throw explainListenError(error, address);
        }
      } else {
        const { path, mode } = where;
        checkWholeNumber("listen", "mode", mode, 0, maxSocketMode);
        await listener.listen(mode === undefined ? { path } : { path, mode });
      }
      const { address } = listener;
      if (options.tls === undefined && options.insecure !== true) warnOfExposure(log, address);
      return address as ListenAddressFor<Options>;
    },
    updateTls(tls) {
      checkServerTls("updateTls", tls);
      listener.updateTls(tls);
    },
    close(given = {}) {
      refuseUnknownOptions("close", given, ["deadlineMs"]);
      checkWholeNumber("close", "deadlineMs", given.deadlineMs, 0, Number.MAX_SAFE_INTEGER);
      stopFollowing();
      const deadlineMs = given.deadlineMs ?? defaultCloseDeadlineMs;
      const closed = Promise.all([listener.close(deadlineMs), gateway?.close(deadlineMs)]);
      closing ??= closed.then(() => deadlines.stop());
      return closing;
    },
  };
  listeners.set(server, listener);
  return server;
}

const listeners = new WeakMap<Server, Listener>();

/** For channelz: the connections of a server that are open now. */
export function connectionsOf(server: Server): readonly ServerConnection[] {
  return listeners.get(server)?.openConnectionList() ?? [];
}

/** Cleartext that others can reach is mostly a default that no one looked at. */
function warnOfExposure(log: Log, address: ListenAddress | undefined): void {
  if (address?.host === undefined || isLoopback(address.host)) return;
  log.warn("cleartext where others can reach it: give tls, listen on 127.0.0.1, or say insecure: true", {
    host: address.host,
    port: address.port,
  });
}

/** New handshakes use what the files hold. What is returned ends that. */
function followFiles(tls: ServerOptions["tls"], log: Log, listener: Listener): () => void {
  if (tls?.files === undefined) return () => {};
  return tls.files.onChange(() => {
    try {
      listener.updateTls(withFiles(tls));
    } catch (error) {
      // OpenSSL knows more reasons than those that the files were checked for, a key that is too short among them.
      log.error("changed TLS files cannot be used; the old ones stay in force", { error });
    }
  });
}

function checkNumbers(options: ServerOptions): void {
  const where = "createServer";
  checkWholeNumber(where, "maxReceiveMessageBytes", options.maxReceiveMessageBytes, 0, maxAnnouncedMessageBytes);
  checkWholeNumber(where, "maxSendMessageBytes", options.maxSendMessageBytes, 0, maxAnnouncedMessageBytes);
  checkWholeNumber(where, "maxDecodedMessageBytes", options.maxDecodedMessageBytes, 0, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "compressMinBytes", options.compressMinBytes, 0, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "maxTimeoutMs", options.maxTimeoutMs, 1, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "maxConcurrentStreams", options.maxConcurrentStreams, 1, 0x7fff_ffff);
  checkWholeNumber(where, "maxConcurrentCalls", options.maxConcurrentCalls, 1, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "maxMetadataBytes", options.maxMetadataBytes, 0, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "maxConnectionsPerAddress", options.maxConnectionsPerAddress, 1, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "maxTlsHandshakes", options.maxTlsHandshakes, 1, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "maxConnectionIdleMs", options.maxConnectionIdleMs, 0, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "maxConnections", options.maxConnections, 1, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "keepalive.timeMs", options.keepalive?.timeMs, 1000, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "keepalive.timeoutMs", options.keepalive?.timeoutMs, 1, Number.MAX_SAFE_INTEGER);
  const { minTimeMs } = options.keepaliveEnforcement ?? {};
  checkWholeNumber(where, "keepaliveEnforcement.minTimeMs", minTimeMs, 0, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "maxConnectionAgeMs", options.maxConnectionAgeMs, 1000, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "maxConnectionAgeGraceMs", options.maxConnectionAgeGraceMs, 1000, Number.MAX_SAFE_INTEGER);
}
