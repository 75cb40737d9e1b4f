import type { TlsOptions } from "node:tls";
import type { Http2Connection } from "../connection/http2-connection.ts";
import type { ListenAddress } from "./server-options.ts";

/** Listens and makes a connection of every socket that speaks HTTP/2. */
export interface Http2Server {
  /** Starts to listen; port 0 takes a free one. Rejects when the address cannot be had. */
  listen(address: ListenAddress): Promise<void>;
  /** Where the server listens; undefined before `listen` and after `close`. */
  readonly address: ListenAddress | undefined;
  readonly openConnections: number;
  /** TLS handshakes that have begun and are not over. */
  readonly openHandshakes: number;
  /** Those that are open now, oldest first. */
  openConnectionList(): Http2Connection[];
  /**
   * Takes another certificate and key, or whatever `tls` names: new handshakes use them, open connections continue as
   * they are. What `tls` does not name stays as the options had it. Throws and changes nothing when it cannot be used.
   */
  updateTls(tls: TlsOptions): void;
  /**
   * Stops listening and drains every connection. The promise is kept when the last one has ended; after `deadlineMs`
   * those that are left are closed with what still runs on them.
   */
  close(deadlineMs: number): Promise<void>;
}
