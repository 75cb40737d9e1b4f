import { createServer as createNetServer, type Socket } from "node:net";
import { createServer as createTlsServer, TLSSocket, type TlsOptions, type Server as TlsServer } from "node:tls";
import { type Clock, systemClock } from "../connection/clock.ts";
import { Connection } from "../connection/connection.ts";
import type { ConnectionEvents, ConnectionOptions } from "../connection/connection-options.ts";
import { type ConnectionLimits, resolveLimits } from "../connection/limits.ts";
import { SharedOutput } from "../connection/shared-output.ts";
import { Ticker } from "../connection/ticker.ts";
import { SharedUnfinished } from "../connection/unfinished-messages.ts";
import { GrowthAllowance } from "../connection/window-growth.ts";
import { ErrorCode } from "../frame/error-code.ts";
import { callerError } from "../http2-error.ts";
import type { LimitAction, LimitEvent, LimitName } from "../limit-name.ts";
import type { PeerTls } from "../peer-tls.ts";
import type { RequestHead } from "../stream/request-head.ts";
import type { Stream } from "../stream/stream.ts";
import { Admission, networkOf } from "./admission.ts";
import { attach } from "./attach.ts";
import { classifyFirstBytes, prefaceBytes } from "./first-bytes.ts";
import { HandshakeQueue } from "./handshake-queue.ts";
import { ignoreErrors } from "./ignore-errors.ts";
import { readPeerCertificate } from "./peer-certificate.ts";
import { SocketsByNetwork } from "./sockets-by-network.ts";
import { serverTlsOptions } from "./tls-defaults.ts";
import { handshakeFailure } from "./tls-failure.ts";
import { UnixSocketFile } from "./unix-socket-file.ts";

/** A `node:http` server fits: connections that speak HTTP/1.1 are handed to it as if it had accepted them. */
export interface Http1Server {
  emit(event: "connection", socket: Socket): boolean;
}

/** Where to listen, or where a server listens. */
export type ListenAddress =
  | { readonly host: string; readonly port: number; readonly path?: undefined }
  | {
      /** Of a Unix socket, or of a named pipe on Windows. */
      readonly path: string;
      /** Who may connect to a Unix socket, as file permissions. Default 0600: processes of the same user. */
      readonly mode?: number;
      readonly host?: undefined;
      readonly port?: undefined;
    };

export interface Http2ServerOptions extends ConnectionOptions {
  /** A request has begun; the listener has to be set on the stream before this returns. */
  onStream(stream: Stream, head: RequestHead, connection: Connection): void;
  /** Serves HTTP/1.1 connections on the same port. Without it they get a 505 and are closed. */
  http1Server?: Http1Server;
  /** Certificate, key and what else `node:tls` takes. Without it the server speaks cleartext. */
  tls?: TlsOptions;
  /** Connections at once, of all peers. Default 10,000. */
  maxConnections?: number;
  /**
   * Connections at once from one IPv4 address or one /64 of IPv6. Default 512, so that behind one address a whole office
   * may work. Unix sockets and this machine's own addresses are not counted.
   */
  maxConnectionsPerAddress?: number;
  /**
   * TLS handshakes at once; further peers wait for their turn. Default 256. One address, or /64 of IPv6, can have half of them, and each
   * further one half of the rest.
   */
  maxTlsHandshakes?: number;
  /** A peer at `address` has struck a limit; `connection` is undefined when it had none yet. */
  onLimit?(event: LimitEvent, address: string | undefined, connection: Connection | undefined): void;
  /** A peer at `address` was let go before it spoke HTTP/2: its TLS handshake failed, or it speaks another protocol, as `reason` says. */
  onHandshakeFailure?(reason: string, address: string | undefined): void;
  /** Something went wrong with the listening socket itself, such as no file handles left; the server goes on. */
  onError?(error: Error): void;
}

const defaultMaxConnections = 10_000;
const defaultMaxConnectionsPerAddress = 512;
const defaultMaxTlsHandshakes = 256;

/** Never: no network can lose a process of this machine, which closes what it no longer needs. */
const localIdleTimeoutMs = 0;

const http505 =
  "HTTP/1.1 505 HTTP Version Not Supported\r\nconnection: close\r\ncontent-type: text/plain\r\n\r\nThis port speaks HTTP/2 only.\r\n";

/** Listens and makes a connection of every socket that speaks HTTP/2. */
export class Http2Server {
  private readonly options: Http2ServerOptions;
  private readonly ticker: Ticker;
  private readonly growthAllowance: GrowthAllowance;
  private readonly sharedOutput: SharedOutput;
  private readonly sharedUnfinished: SharedUnfinished;
  private readonly handshakeTimeoutMs: number;
  private readonly clock: Clock;
  private readonly listener: ReturnType<typeof createNetServer>;
  private readonly admission: Admission;
  /** Never listens: it is handed the sockets that the listener has admitted. */
  private readonly tls: TlsServer | undefined;
  private readonly handshakes: HandshakeQueue;
  /** Sockets that have not shown what they speak: where a limit of connections is reached, they make room for others. */
  private readonly newcomers = new SocketsByNetwork();
  private readonly connections = new Set<Connection>();
  private socketFile: UnixSocketFile | undefined = undefined;
  private limits: ConnectionLimits;
  private closing = false;
  private readonly whenEmpty: (() => void)[] = [];
  /** One for all connections: whatever is theirs alone is memory that ten thousand idle ones hold ten thousand times. */
  private readonly events: ConnectionEvents;

  constructor(options: Http2ServerOptions) {
    this.options = options;
    this.clock = options.clock ?? systemClock;
    this.ticker = options.ticker ?? new Ticker(this.clock);
    const limits = resolveLimits(options.limits);
    this.handshakeTimeoutMs = limits.handshakeTimeoutMs;
    this.limits = limits;
    this.growthAllowance = options.growthAllowance ?? new GrowthAllowance(limits.sharedWindowGrowthBytes);
    this.sharedOutput = options.sharedOutput ?? new SharedOutput(limits);
    this.sharedUnfinished = options.sharedUnfinished ?? new SharedUnfinished(limits.sharedUnfinishedBytes);
    this.events = {
      onStream: (stream, head, connection: Connection) => options.onStream(stream, head, connection),
      onLimit: (event, connection: Connection) => options.onLimit?.(event, connection.remoteAddress, connection),
      onClose: (_error, connection: Connection) => {
        this.connections.delete(connection);
        this.checkEmpty();
      },
    };
    this.admission = new Admission(
      options.maxConnections ?? defaultMaxConnections,
      options.maxConnectionsPerAddress ?? defaultMaxConnectionsPerAddress,
    );
    this.tls = options.tls === undefined ? undefined : this.makeTls(options.tls);
    this.handshakes = new HandshakeQueue({
      maxRunning: options.maxTlsHandshakes ?? defaultMaxTlsHandshakes,
      timeoutMs: this.handshakeTimeoutMs,
      clock: this.clock,
      newcomers: this.newcomers,
      begin: (socket) => this.tls?.emit("connection", socket),
      onWait: ({ remoteAddress }) =>
        this.tellLimit("tls_handshakes", "paused", "too many TLS handshakes at once", remoteAddress),
      onEvict: ({ remoteAddress }) =>
        this.tellLimit("tls_handshakes", "closed", "a slow TLS handshake gave way to others", remoteAddress),
    });
    this.listener = createNetServer({ noDelay: true }, (socket) => this.admit(socket));
    // Before it listens, an error is the answer to `listen`.
    this.listener.on("error", (error) => {
      if (!this.listener.listening) return;
      options.onError?.(error);
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EMFILE" || code === "ENFILE") {
        this.tellLimit("file_handles", "refused", `the system refused a connection: ${code}`, undefined);
      }
    });
  }

  /** Starts to listen; port 0 takes a free one. Rejects when the address cannot be had. */
  async listen(address: ListenAddress): Promise<void> {
    if (address.path !== undefined) {
      this.limits = resolveLimits({ idleTimeoutMs: localIdleTimeoutMs, ...this.options.limits });
    }
    if (address.path === undefined || process.platform === "win32") {
      await this.bind(address, (bind) => bind());
      return;
    }
    const file = await UnixSocketFile.prepare(address.path, address.mode);
    await this.bind({ path: file.bindPath }, (bind) => file.bindPrivately(bind));
    try {
      await file.publish();
    } catch (error) {
      this.listener.close();
      throw error;
    }
    this.socketFile = file;
    if (this.closing) file.remove();
  }

  private bind(address: ListenAddress, within: (bind: () => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const failed = (error: Error): void => reject(error);
      this.listener.once("error", failed);
      within(() =>
        this.listener.listen(address, () => {
          this.listener.off("error", failed);
          resolve();
        }),
      );
    });
  }

  /**
   * Takes another certificate and key, or whatever `tls` names: new handshakes use them, connections that stand go on as
   * they are. What `tls` does not name stays as the options had it. Throws and changes nothing when it cannot be used.
   */
  updateTls(tls: TlsOptions): void {
    if (this.tls === undefined) throw callerError("a server without TLS has no certificate to replace");
    this.tls.setSecureContext(this.tlsOptions({ ...this.options.tls, ...tls }));
  }

  /** TLS handshakes that have begun and are not over. */
  get openHandshakes(): number {
    return this.handshakes.running;
  }

  /** Where the server listens; undefined before `listen` and after `close`. */
  get address(): ListenAddress | undefined {
    const address = this.listener.address();
    if (address === null) return undefined;
    return typeof address === "string"
      ? { path: this.socketFile?.path ?? address }
      : { host: address.address, port: address.port };
  }

  get openConnections(): number {
    return this.connections.size;
  }

  /** Those that are open now, oldest first. */
  openConnectionList(): Connection[] {
    return [...this.connections];
  }

  /**
   * Stops listening and drains every connection. The promise is kept when the last one has ended; after `deadlineMs`
   * those that are left are closed with what still runs on them.
   */
  async close(deadlineMs: number): Promise<void> {
    this.closing = true;
    this.listener.close();
    this.socketFile?.remove();
    this.handshakes.close();
    for (const socket of this.newcomers.all()) socket.destroy();
    const cancel = this.clock.after(deadlineMs, () => {
      for (const connection of this.connections) connection.close(ErrorCode.noError, "the server shut down");
    });
    const empty = new Promise<void>((resolve) => {
      this.whenEmpty.push(resolve);
    });
    for (const connection of this.connections) connection.drain("shutdown");
    this.checkEmpty();
    await empty;
    cancel();
  }

  private makeTls(given: TlsOptions): TlsServer {
    const tls = createTlsServer(this.tlsOptions(given), (socket) => {
      this.handshakes.ended(socket);
      this.acceptTls(socket);
    });
    // A failed handshake concerns one peer. It is told here or as a connection above, and never as both or as neither.
    tls.on("tlsClientError", (error: Error, socket: TLSSocket) => {
      this.reportHandshake(handshakeFailure(error), socket);
      socket.destroy();
    });
    return tls;
  }

  private tlsOptions(given: TlsOptions): TlsOptions {
    const protocols = this.options.http1Server === undefined ? ["h2"] : ["h2", "http/1.1"];
    return serverTlsOptions(given, protocols, this.handshakeTimeoutMs);
  }

  /** The first that is done with a socket: too many are refused before they cost anything. */
  private admit(socket: Socket): void {
    if (this.closing) {
      socket.destroy();
      return;
    }
    const address = socket.remoteAddress;
    const limit = this.admission.limitFor(address);
    ignoreErrors(socket);
    if (limit !== undefined && !this.makeRoom(limit, address)) {
      this.tellLimit(limit, "refused", "too many connections at once", address);
      socket.destroy();
      return;
    }
    this.admission.enter(address);
    // Not `once`, whose wrapper would live as long as the socket; "close" comes but once.
    socket.on("close", () => this.admission.leave(address));
    // Without an address it came over a Unix socket, whose peers are trusted, or it is gone already.
    if (this.tls === undefined) this.accept(socket);
    else if (address === undefined) this.tls.emit("connection", socket);
    else this.handshakes.add(socket, sharerOf(address));
  }

  /**
   * Lets a socket go that has not shown what it speaks, for another that may. Of all, it is one of the network that has the most of them;
   * of a network, the one that has waited for the longest.
   */
  private makeRoom(limit: LimitName, address: string | undefined): boolean {
    const network = limit === "connections" ? this.newcomers.busiest : sharerOf(address);
    const silent = network === undefined ? undefined : this.newcomers.oldestOf(network);
    if (network === undefined || silent === undefined) return false;
    this.newcomers.delete(network, silent);
    this.tellLimit(limit, "closed", "a silent connection made room for another", silent.remoteAddress);
    silent.destroy();
    return true;
  }

  private tellLimit(limit: LimitName, action: LimitAction, detail: string, address: string | undefined): void {
    try {
      this.options.onLimit?.({ limit, action, streamId: 0, detail }, address, undefined);
    } catch {
      // Who only keeps the books must not end the process from within an event of the listening socket.
    }
  }

  private reportHandshake(reason: string | undefined, socket: Socket): void {
    if (reason === undefined) return;
    try {
      this.options.onHandshakeFailure?.(reason, socket.remoteAddress);
    } catch {
      // As with limits: reporting must not end the process from within a socket's event.
    }
  }

  private acceptTls(socket: TLSSocket): void {
    socket.setNoDelay(true);
    if (socket.alpnProtocol === "h2") {
      this.accept(socket);
    } else if (this.options.http1Server !== undefined) {
      this.options.http1Server.emit("connection", socket);
    } else {
      // Without ALPN there is no telling what is spoken; the larger engines have required it since 2024.
      this.reportHandshake("the client does not speak HTTP/2 over TLS: it did not offer ALPN h2", socket);
      ignoreErrors(socket);
      socket.destroy();
    }
  }

  /** The first octets decide what becomes of the socket. */
  private accept(socket: Socket): void {
    if (this.closing) {
      socket.destroy();
      return;
    }
    const network = sharerOf(socket.remoteAddress);
    this.newcomers.add(network, socket);
    let head: Uint8Array | undefined;
    const forget = (): void => {
      cancel();
      this.newcomers.delete(network, socket);
      socket.off("data", onData);
      socket.off("close", forget);
    };
    const cancel = this.clock.after(this.handshakeTimeoutMs, () => socket.destroy());
    const onData = (chunk: Uint8Array): void => {
      head = head === undefined ? chunk : Buffer.concat([head, chunk]);
      const kind = classifyFirstBytes(head);
      if (kind === "more") return;
      forget();
      if (kind === "unknown") this.reportHandshake(unknownProtocol(head), socket);
      if (kind === "http1") this.handToHttp1(socket, head);
      else this.serve(socket, kind === "http2" ? head.subarray(prefaceBytes) : undefined);
    };
    ignoreErrors(socket);
    socket.on("data", onData);
    socket.on("close", forget);
  }

  private handToHttp1(socket: Socket, head: Uint8Array): void {
    const { http1Server } = this.options;
    if (http1Server === undefined) {
      this.reportHandshake("the client speaks HTTP/1.1, which is not served here", socket);
      socket.end(http505);
      socket.destroySoon();
      return;
    }
    socket.pause();
    socket.unshift(head);
    http1Server.emit("connection", socket);
    // It listens now; a socket that was paused by name does not start by itself.
    socket.resume();
  }

  /** `rest` is what follows the preface; undefined when there was no valid preface, which the peer is told. */
  private serve(socket: Socket, rest: Uint8Array | undefined): void {
    const connection = new Connection("server", socket, this.events, {
      ...this.options,
      resolvedLimits: this.limits,
      ticker: this.ticker,
      growthAllowance: this.growthAllowance,
      sharedOutput: this.sharedOutput,
      sharedUnfinished: this.sharedUnfinished,
      peerTls: peerTlsOf(socket),
    });
    this.connections.add(connection);
    attach(connection, socket);
    if (rest === undefined) connection.close(ErrorCode.protocolError, "invalid preface");
    else if (rest.length > 0) connection.receive(rest);
  }

  private checkEmpty(): void {
    if (this.closing && this.connections.size === 0) for (const tell of this.whenEmpty.splice(0)) tell();
  }
}

/** RFC 8446 §5.1: a client's first TLS record is a handshake. */
function unknownProtocol(head: Uint8Array): string {
  return head[0] === 0x16 && head[1] === 3
    ? "the client sent a TLS handshake to a cleartext port"
    : "the client does not speak HTTP/2";
}

/** The sockets that share one limit: those of a network, of one of this machine's own addresses, or all Unix sockets. */
function sharerOf(address: string | undefined): string {
  return networkOf(address) ?? address ?? "";
}

function peerTlsOf(socket: Socket): PeerTls | undefined {
  return socket instanceof TLSSocket ? { certificate: readPeerCertificate(socket) } : undefined;
}
