import type { DescService } from "@bufbuild/protobuf";
import { checkWholeNumber } from "../call/check-number.ts";
import { systemClock } from "../call/clock.ts";
import { DeadlineWheel } from "../call/deadline-wheel.ts";
import { stderrLog } from "../call/log.ts";
import { refuseUnknownOptions } from "../call/unknown-option.ts";
import { createJsonCodec, createProtobufCodec } from "../codec/index.ts";
import { defaultCompressMinBytes } from "../protocol/compression.ts";
import { gzipCompression } from "../protocol/gzip-compression.ts";
import { maxAnnouncedMessageBytes } from "../protocol/message-framing.ts";
import {
  type CreateListener,
  createListener,
  type ListenAddress,
  type Listener,
  type ServerConnection,
  type ServerTlsOptions,
} from "../transport/listen.ts";
import { ResponseHeads } from "../transport/response-heads.ts";
import { connectionOptions } from "./connection-options.ts";
import { MethodTable } from "./router.ts";
import { checkServerOptions, type ServerOptions } from "./server-options.ts";

/** Where to listen: a TCP port (`host` defaults to 127.0.0.1, so that nothing is exposed by accident), or a Unix socket. */
export type ListenOptions =
  | { readonly port: number; readonly host?: string; readonly path?: undefined }
  | { readonly path: string };

/** What `listen` answers with: the port that was taken, or the path. */
export type ListeningAt<Options extends ListenOptions> = Extract<
  ListenAddress,
  Options extends { readonly path: string } ? { readonly path: string } : { readonly port: number }
>;

export interface CloseOptions {
  /** Calls that still run after this many milliseconds are cancelled. Default 30,000. 0 cancels them at once. */
  deadlineMs?: number;
}

export interface Server {
  /** Starts to serve. Port 0 takes a free one, which `address` tells. Rejects when the address cannot be had. */
  listen<Options extends ListenOptions>(options: Options): Promise<ListeningAt<Options>>;
  /** Where the server listens; undefined before `listen` and after `close`. */
  readonly address: ListenAddress | undefined;
  /**
   * Takes another certificate and key, or whatever `tls` names, for the connections that come; those that stand go on with
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
   * Drains: takes no more connections, tells clients to go elsewhere, lets calls end until the deadline, then cancels what
   * is left. Resolves when nothing is left. A second call with a shorter deadline shortens the first.
   */
  close(options?: CloseOptions): Promise<void>;
}

const defaultMaxReceiveMessageBytes = 4 * 1024 * 1024;
const defaultCloseDeadlineMs = 30_000;

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
  const table = new MethodTable(options.interceptors ?? []);
  options.routes(table);
  const clock = options.clock ?? systemClock;
  const deadlines = new DeadlineWheel(clock, false);
  const compressions = options.compressions ?? [gzipCompression];
  const codecs = { proto: createProtobufCodec(), json: createJsonCodec(options.jsonOptions) };
  const counts = { started: 0, succeeded: 0, failed: 0 };
  const listener = makeListener(
    { methods: table.methods, codecs, compressions, maxTimeoutMs: options.maxTimeoutMs },
    {
      counts,
      maxReceiveMessageBytes: options.maxReceiveMessageBytes ?? defaultMaxReceiveMessageBytes,
      maxSendMessageBytes: options.maxSendMessageBytes ?? maxAnnouncedMessageBytes,
      compressMinBytes: options.compressMinBytes ?? defaultCompressMinBytes,
      responseHeads: new ResponseHeads(compressions),
      deadlines,
      clock,
      log: options.log ?? stderrLog,
      exposeDebugInfo: options.exposeDebugInfo ?? false,
      onUnhandledCall: options.onUnhandledCall,
    },
    connectionOptions(options),
  );
  let closing: Promise<void> | undefined;
  const server: Server = {
    calls: counts,
    services: [...table.services],
    get address() {
      return listener.address;
    },
    get openConnections() {
      return listener.openConnections;
    },
    get openCalls() {
      return counts.started - counts.succeeded - counts.failed;
    },
    async listen<Options extends ListenOptions>(where: Options) {
      refuseUnknownOptions("listen", where, ["host", "port", "path"]);
      if (closing !== undefined) throw new Error("the server was closed; create another one");
      const { path } = where;
      await listener.listen(path === undefined ? { host: where.host ?? "127.0.0.1", port: where.port } : { path });
      return listener.address as ListeningAt<Options>;
    },
    updateTls: (tls) => listener.updateTls(tls),
    close(given = {}) {
      refuseUnknownOptions("close", given, ["deadlineMs"]);
      checkWholeNumber("close", "deadlineMs", given.deadlineMs, 0, Number.MAX_SAFE_INTEGER);
      const closed = listener.close(given.deadlineMs ?? defaultCloseDeadlineMs);
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

function checkNumbers(options: ServerOptions): void {
  const where = "createServer";
  checkWholeNumber(where, "maxReceiveMessageBytes", options.maxReceiveMessageBytes, 0, maxAnnouncedMessageBytes);
  checkWholeNumber(where, "maxSendMessageBytes", options.maxSendMessageBytes, 0, maxAnnouncedMessageBytes);
  checkWholeNumber(where, "compressMinBytes", options.compressMinBytes, 0, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "maxTimeoutMs", options.maxTimeoutMs, 1, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "maxConcurrentStreams", options.maxConcurrentStreams, 1, 0x7fff_ffff);
  checkWholeNumber(where, "maxMetadataBytes", options.maxMetadataBytes, 0, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "maxConnectionsPerAddress", options.maxConnectionsPerAddress, 1, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "maxTlsHandshakes", options.maxTlsHandshakes, 1, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "idleTimeoutMs", options.idleTimeoutMs, 0, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "maxConnections", options.maxConnections, 1, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "keepalive.timeMs", options.keepalive?.timeMs, 1000, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "keepalive.timeoutMs", options.keepalive?.timeoutMs, 1, Number.MAX_SAFE_INTEGER);
  const { minTimeMs } = options.keepaliveEnforcement ?? {};
  checkWholeNumber(where, "keepaliveEnforcement.minTimeMs", minTimeMs, 0, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "maxConnectionAgeMs", options.maxConnectionAgeMs, 1000, Number.MAX_SAFE_INTEGER);
  checkWholeNumber(where, "maxConnectionAgeGraceMs", options.maxConnectionAgeGraceMs, 1000, Number.MAX_SAFE_INTEGER);
}
