import type { Socket } from "node:net";
import type { TLSSocket, TlsOptions, Server as TlsServer } from "node:tls";
import type { Clock } from "../connection/time/clock.ts";
import { callerError } from "../errors/http2-error.ts";
import type { LimitAction, LimitName } from "../errors/limit-name.ts";
import { Admission, networkOf } from "./admission/admission.ts";
import { classifyFirstBytes, prefaceBytes } from "./admission/first-bytes.ts";
import { HandshakeQueue } from "./admission/handshake-queue.ts";
import { SocketsByNetwork } from "./admission/sockets-by-network.ts";
import { ignoreErrors } from "./ignore-errors.ts";
import type { Http2ServerOptions } from "./server-options.ts";
import { serverTlsOptions } from "./tls/tls-defaults.ts";
import { handshakeFailure } from "./tls/tls-failure.ts";

const defaultMaxConnections = 10_000;
const defaultMaxConnectionsPerAddress = 512;
const defaultMaxTlsHandshakes = 256;

const http505 =
  "HTTP/1.1 505 HTTP Version Not Supported\r\nconnection: close\r\ncontent-type: text/plain\r\n\r\nThis port speaks HTTP/2 only.\r\n";

/** What an acceptor needs in addition to the server's options. */
export interface AcceptorParts {
  readonly clock: Clock;
  /** A socket that has not shown for so long what it speaks is closed. */
  readonly handshakeTimeoutMs: number;
  /** The socket speaks HTTP/2. `rest` is what follows the preface; undefined when there was no valid preface. */
  serve(socket: Socket, rest: Uint8Array | undefined): void;
}

/** Decides what becomes of each socket that a server accepts: refused, through a TLS handshake, HTTP/2 or another protocol. */
export class SocketAcceptor {
  private readonly options: Http2ServerOptions;
  private readonly parts: AcceptorParts;
  private readonly admission: Admission;
  /** Never listens: it is handed the sockets that were admitted. */
  private readonly tls: TlsServer | undefined;
  private readonly handshakes: HandshakeQueue;
  /** Sockets that have not shown what they speak: where a limit of connections is reached, they make room for others. */
  private readonly newcomers = new SocketsByNetwork();
  private closing = false;

  constructor(options: Http2ServerOptions, parts: AcceptorParts) {
    this.options = options;
    this.parts = parts;
    this.admission = new Admission(
      options.maxConnections ?? defaultMaxConnections,
      options.maxConnectionsPerAddress ?? defaultMaxConnectionsPerAddress,
    );
    this.tls = options.tls === undefined ? undefined : this.makeTls(options.tls);
    this.handshakes = new HandshakeQueue({
      maxRunning: options.maxTlsHandshakes ?? defaultMaxTlsHandshakes,
      timeoutMs: parts.handshakeTimeoutMs,
      clock: parts.clock,
      newcomers: this.newcomers,
      begin: (socket) => this.tls?.emit("connection", socket),
      onWait: ({ remoteAddress }) =>
        this.reportLimit("tls_handshakes", "paused", "too many TLS handshakes at once", remoteAddress),
      onEvict: ({ remoteAddress }) =>
        this.reportLimit("tls_handshakes", "closed", "a slow TLS handshake gave way to others", remoteAddress),
    });
  }

  /** See `Http2Server.updateTls`. */
  updateTls(tls: TlsOptions): void {
    if (this.tls === undefined) throw callerError("a server without TLS has no certificate to replace");
    this.tls.setSecureContext(this.tlsOptions({ ...this.options.tls, ...tls }));
  }

  /** TLS handshakes that have begun and are not over. */
  get openHandshakes(): number {
    return this.handshakes.running;
  }

  /** The first that is done with a socket: too many are refused before they cost anything. */
  admit(socket: Socket): void {
    if (this.closing) {
      socket.destroy();
      return;
    }
    const address = socket.remoteAddress;
    const limit = this.admission.limitFor(address);
    ignoreErrors(socket);
    if (limit !== undefined && !this.makeRoom(limit, address)) {
      this.reportLimit(limit, "refused", "too many connections at once", address);
      socket.destroy();
      return;
    }
    this.admission.enter(address);
    // Not `once`, whose wrapper would live as long as the socket; "close" is emitted only once.
    socket.on("close", () => this.admission.leave(address));
    // Without an address it is a Unix socket, whose peers are trusted, or it has closed already.
    if (this.tls === undefined) this.accept(socket);
    else if (address === undefined) this.tls.emit("connection", socket);
    else this.handshakes.add(socket, sharerOf(address));
  }

  /** Sockets that have not shown what they speak are closed, and new ones as they come. */
  close(): void {
    this.closing = true;
    this.handshakes.close();
    for (const socket of this.newcomers.all()) socket.destroy();
  }

  /** Reports a limit that no connection has reached. */
  reportLimit(limit: LimitName, action: LimitAction, detail: string, address: string | undefined): void {
    try {
      this.options.onLimit?.({ limit, action, streamId: 0, detail }, address, undefined);
    } catch {
      // An observer that throws must not end the process from within an event of the listening socket.
    }
  }

  private makeTls(given: TlsOptions): TlsServer {
    // Loaded here, because it costs milliseconds and a server without TLS does not need it.
    const { createServer } = process.getBuiltinModule("node:tls");
    const tls = createServer(this.tlsOptions(given), (socket) => {
      this.handshakes.ended(socket);
      this.acceptTls(socket);
    });
    // A failed handshake concerns one peer. It is reported exactly once: here, or as a connection above.
    tls.on("tlsClientError", (error: Error, socket: TLSSocket) => {
      this.reportHandshake(handshakeFailure(error), socket);
      socket.destroy();
    });
    return tls;
  }

  private tlsOptions(given: TlsOptions): TlsOptions {
    const protocols = this.options.http1Server === undefined ? ["h2"] : ["h2", "http/1.1"];
    return serverTlsOptions(given, protocols, this.parts.handshakeTimeoutMs);
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
    this.reportLimit(limit, "closed", "a silent connection made room for another", silent.remoteAddress);
    silent.destroy();
    return true;
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
      // Without ALPN the protocol is unknown; the larger HTTP/2 servers have required ALPN since 2024.
      this.reportHandshake("the client does not speak HTTP/2 over TLS: it did not offer ALPN h2", socket);
      ignoreErrors(socket);
      socket.destroy();
    }
  }

  /** The first bytes decide what becomes of the socket. */
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
    const cancel = this.parts.clock.after(this.parts.handshakeTimeoutMs, () => socket.destroy());
    const onData = (chunk: Uint8Array): void => {
      head = head === undefined ? chunk : Buffer.concat([head, chunk]);
      const kind = classifyFirstBytes(head);
      if (kind === "more") return;
      forget();
      if (kind === "unknown") this.reportHandshake(unknownProtocol(head), socket);
      if (kind === "http1") this.handToHttp1(socket, head);
      else this.parts.serve(socket, kind === "http2" ? head.subarray(prefaceBytes) : undefined);
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
