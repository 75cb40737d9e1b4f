import { createServer as createNetServer, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from "node:tls";
import { systemClock } from "../connection/clock.ts";
import { Connection, type ConnectionOptions } from "../connection/connection.ts";
import { resolveLimits } from "../connection/limits.ts";
import { Ticker } from "../connection/ticker.ts";
import { GrowthAllowance } from "../connection/window-growth.ts";
import { ErrorCode } from "../frame/error-code.ts";
import type { RequestHead } from "../stream/request-head.ts";
import type { Stream } from "../stream/stream.ts";
import { attach } from "./attach.ts";
import { classifyFirstBytes, prefaceBytes } from "./first-bytes.ts";

/** A `node:http` server fits: connections that speak HTTP/1.1 are handed to it as if it had accepted them. */
export interface Http1Server {
  emit(event: "connection", socket: Socket): boolean;
}

/** Where to listen, or where a server listens. */
export type ListenAddress =
  | { readonly host: string; readonly port: number; readonly path?: undefined }
  | { readonly path: string; readonly host?: undefined; readonly port?: undefined };

export interface Http2ServerOptions extends ConnectionOptions {
  /** A request has begun; the listener has to be set on the stream before this returns. */
  onStream(stream: Stream, head: RequestHead, connection: Connection): void;
  /** Serves HTTP/1.1 connections on the same port. Without it they get a 505 and are closed. */
  http1Server?: Http1Server;
  /** Certificate, key and what else `node:tls` takes. Without it the server speaks cleartext. */
  tls?: TlsOptions;
  /** Connections at once, of all peers. Default 10,000. */
  maxConnections?: number;
  /** Something went wrong with the listening socket itself, such as no file handles left; the server goes on. */
  onError?(error: Error): void;
}

const defaultMaxConnections = 10_000;

const http505 =
  "HTTP/1.1 505 HTTP Version Not Supported\r\nconnection: close\r\ncontent-type: text/plain\r\n\r\nThis port speaks HTTP/2 only.\r\n";

/** Listens and makes a connection of every socket that speaks HTTP/2. */
export class Http2Server {
  private readonly options: Http2ServerOptions;
  private readonly ticker: Ticker;
  private readonly growthAllowance: GrowthAllowance;
  private readonly handshakeTimeoutMs: number;
  private readonly listener: ReturnType<typeof createNetServer>;
  /** Sockets whose protocol is not known yet. */
  private readonly undecided = new Set<Socket>();
  private readonly connections = new Set<Connection>();
  private closing = false;
  private readonly whenEmpty: (() => void)[] = [];

  constructor(options: Http2ServerOptions) {
    this.options = options;
    this.ticker = options.ticker ?? new Ticker(options.clock ?? systemClock);
    const limits = resolveLimits(options.limits);
    this.handshakeTimeoutMs = limits.handshakeTimeoutMs;
    this.growthAllowance = options.growthAllowance ?? new GrowthAllowance(limits.sharedWindowGrowthBytes);
    if (options.tls === undefined) {
      this.listener = createNetServer({ noDelay: true }, (socket) => this.accept(socket));
    } else {
      this.listener = createTlsServer(
        {
          ALPNProtocols: options.http1Server === undefined ? ["h2"] : ["h2", "http/1.1"],
          minVersion: "TLSv1.2",
          handshakeTimeout: this.handshakeTimeoutMs,
          ...options.tls,
        },
        (socket) => this.acceptTls(socket),
      );
      // A failed handshake concerns one peer; node destroys its socket.
      this.listener.on("tlsClientError", (_error: Error, socket: TLSSocket) => socket.destroy());
    }
    this.listener.maxConnections = options.maxConnections ?? defaultMaxConnections;
    // Before it listens, an error is the answer to `listen`.
    this.listener.on("error", (error) => {
      if (this.listener.listening) options.onError?.(error);
    });
  }

  /** Starts to listen; port 0 takes a free one. Rejects when the address cannot be had. */
  listen(address: ListenAddress): Promise<void> {
    return new Promise((resolve, reject) => {
      const failed = (error: Error): void => reject(error);
      this.listener.once("error", failed);
      this.listener.listen(address, () => {
        this.listener.off("error", failed);
        resolve();
      });
    });
  }

  /** Where the server listens; undefined before `listen` and after `close`. */
  get address(): ListenAddress | undefined {
    const address = this.listener.address();
    if (address === null) return undefined;
    return typeof address === "string" ? { path: address } : { host: address.address, port: address.port };
  }

  get openConnections(): number {
    return this.connections.size;
  }

  /**
   * Stops listening and drains every connection. The promise is kept when the last one has ended; after `deadlineMs`
   * those that are left are closed with what still runs on them.
   */
  async close(deadlineMs: number): Promise<void> {
    this.closing = true;
    this.listener.close();
    for (const socket of this.undecided) socket.destroy();
    const clock = this.options.clock ?? systemClock;
    const cancel = clock.after(deadlineMs, () => {
      for (const connection of this.connections) connection.close(ErrorCode.noError, "shutdown deadline");
    });
    const empty = new Promise<void>((resolve) => {
      this.whenEmpty.push(resolve);
    });
    for (const connection of this.connections) connection.drain("shutdown");
    this.checkEmpty();
    await empty;
    cancel();
  }

  private acceptTls(socket: TLSSocket): void {
    socket.setNoDelay(true);
    if (socket.alpnProtocol === "http/1.1" && this.options.http1Server !== undefined) {
      this.options.http1Server.emit("connection", socket);
      return;
    }
    this.accept(socket);
  }

  /** The first octets decide what becomes of the socket. */
  private accept(socket: Socket): void {
    if (this.closing) {
      socket.destroy();
      return;
    }
    this.undecided.add(socket);
    let head: Uint8Array | undefined;
    const clock = this.options.clock ?? systemClock;
    const forget = (): void => {
      cancel();
      this.undecided.delete(socket);
      socket.off("data", onData);
      socket.off("error", onError);
      socket.off("close", forget);
    };
    const onError = (): void => {};
    const cancel = clock.after(this.handshakeTimeoutMs, () => socket.destroy());
    const onData = (chunk: Uint8Array): void => {
      head = head === undefined ? chunk : Buffer.concat([head, chunk]);
      const kind = classifyFirstBytes(head);
      if (kind === "more") return;
      forget();
      if (kind === "http1") this.handToHttp1(socket, head);
      else this.serve(socket, kind === "http2" ? head.subarray(prefaceBytes) : undefined);
    };
    socket.on("data", onData);
    socket.on("error", onError);
    socket.on("close", forget);
  }

  private handToHttp1(socket: Socket, head: Uint8Array): void {
    const { http1Server } = this.options;
    if (http1Server === undefined) {
      socket.on("error", () => {});
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
    const { options } = this;
    const connection: Connection = new Connection(
      "server",
      socket,
      {
        onStream: (stream, head) => options.onStream(stream, head, connection),
        onClose: () => {
          this.connections.delete(connection);
          this.checkEmpty();
        },
      },
      { ...options, ticker: this.ticker, growthAllowance: this.growthAllowance },
    );
    this.connections.add(connection);
    attach(connection, socket);
    if (rest === undefined) connection.close(ErrorCode.protocolError, "invalid preface");
    else if (rest.length > 0) connection.receive(rest);
  }

  private checkEmpty(): void {
    if (this.closing && this.connections.size === 0) for (const tell of this.whenEmpty.splice(0)) tell();
  }
}
