import type { Socket } from "node:net";
import type { TlsOptions } from "node:tls";
import type { ConnectionOptions } from "../connection/connection-options.ts";
import type { Http2Connection } from "../connection/http2-connection.ts";
import type { LimitEvent } from "../errors/limit-name.ts";
import type { Http2Stream } from "../stream/http2-stream.ts";
import type { RequestHead } from "../stream/request-head.ts";

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
      /** File permissions of a Unix socket: they decide which users can connect. Default 0600: processes of the same user. */
      readonly mode?: number;
      readonly host?: undefined;
      readonly port?: undefined;
    };

export interface Http2ServerOptions extends ConnectionOptions {
  /** A request has begun; the listener has to be set on the stream before this returns. */
  onStream(stream: Http2Stream, head: RequestHead, connection: Http2Connection): void;
  /** Serves HTTP/1.1 connections on the same port. Without it they get a 505 and are closed. */
  http1Server?: Http1Server;
  /** Certificate, key and what else `node:tls` takes. Without it the server speaks cleartext. */
  tls?: TlsOptions;
  /** Connections at once, of all peers. Default 10,000. */
  maxConnections?: number;
  /**
   * Connections at once from one IPv4 address or one /64 of IPv6. Default 512, so that a whole office with one address
   * may work. Unix sockets and this machine's own addresses are not counted.
   */
  maxConnectionsPerAddress?: number;
  /**
   * TLS handshakes at once; further peers wait for their turn. Default 256. One address, or /64 of IPv6, can have half of them, and each
   * further one half of the rest.
   */
  maxTlsHandshakes?: number;
  /** A peer at `address` has exceeded a limit; `connection` is undefined when it had none yet. */
  onLimit?(event: LimitEvent, address: string | undefined, connection: Http2Connection | undefined): void;
  /** A peer at `address` was let go before it spoke HTTP/2: its TLS handshake failed, or it speaks another protocol, as `reason` says. */
  onHandshakeFailure?(reason: string, address: string | undefined): void;
  /** The listening socket itself reported an error, for instance that no file handles are left. The server keeps running. */
  onError?(error: Error): void;
}
