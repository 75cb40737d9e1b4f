import { connect as connectNet, type Socket } from "node:net";
import type { ConnectionOptions as TlsClientOptions } from "node:tls";
import { Connection } from "../connection/connection.ts";
import type { ConnectionEvents, ConnectionOptions } from "../connection/connection-options.ts";
import type { Http2Connection } from "../connection/http2-connection.ts";
import { systemClock } from "../connection/time/clock.ts";
import { Http2Error } from "../errors/http2-error.ts";
import { attachToServer } from "./attach-to-server.ts";
import { ignoreErrors } from "./ignore-errors.ts";
import { intoSharedBuffer } from "./read-buffer.ts";
import type { ListenAddress } from "./server-options.ts";
import { withServerName } from "./tls/server-name.ts";
import { clientTlsOptions } from "./tls/tls-defaults.ts";
import { explainHandshakeError } from "./tls/tls-failure.ts";

export interface ConnectOptions extends ConnectionOptions {
  /** What `node:tls` takes. Without it the connection is cleartext with prior knowledge (RFC 9113 §3.3). */
  tls?: TlsClientOptions;
  /**
   * The host name or IP address that the server's certificate has to be for under TLS; a host name is sent as SNI as well.
   * `tls.servername` has precedence. Default: the address's host, and "localhost" for a Unix socket.
   */
  serverName?: string;
  /** From the first packet to the end of the TLS handshake. Default 20 s; Infinity leaves the time to `signal`. */
  connectTimeoutMs?: number;
  /** Cancels the attempt. */
  signal?: AbortSignal;
}

const defaultConnectTimeoutMs = 20_000;

/**
 * Connects, and resolves once the transport is connected; the peer's SETTINGS may still be on their way (`onReady`).
 * Rejects with an {@link Http2Error} whose cause is the system's error.
 */
export function connect(
  address: ListenAddress,
  events: ConnectionEvents,
  options: ConnectOptions = {},
): Promise<Http2Connection> {
  const { tls, serverName, connectTimeoutMs, signal, ...connectionOptions } = options;
  return new Promise((resolve, reject) => {
    const socket: Socket =
      tls === undefined
        ? connectNet({ ...address, noDelay: true, onread: intoSharedBuffer(() => socket) } as Parameters<
            typeof connectNet
          >[0] &
            object)
        : // Loaded here, because it costs milliseconds and a client without TLS does not need it.
          process.getBuiltinModule("node:tls").connect({
            ...address,
            ...clientTlsOptions(withServerName(tls, serverName ?? address.host ?? "localhost")),
          });
    // The call that waits for the connection keeps the process alive.
    if (options.unrefWhenIdle) socket.unref();
    const clock = options.clock ?? systemClock;
    const timeoutMs = connectTimeoutMs ?? defaultConnectTimeoutMs;
    const cancel =
      timeoutMs === Number.POSITIVE_INFINITY
        ? undefined
        : clock.after(timeoutMs, () => fail(new Error(`no connection within ${timeoutMs} ms`)));
    const done = (): void => {
      cancel?.();
      signal?.removeEventListener("abort", onAbort);
      socket.off("error", fail);
      socket.off("close", onClose);
    };
    const fail = (error: Error): void => {
      done();
      ignoreErrors(socket);
      socket.destroy();
      const cause = tls === undefined ? error : explainHandshakeError(error);
      reject(new Http2Error("could not connect", { scope: "connection", blame: "peer", cause }));
    };
    const onClose = (): void => fail(new Error("the server closed the connection during the handshake"));
    const onAbort = (): void => fail(new Error("the attempt was cancelled"));
    socket.once("error", fail);
    socket.once("close", onClose);
    signal?.addEventListener("abort", onAbort, { once: true });
    if (signal?.aborted) {
      onAbort();
      return;
    }
    socket.once(tls === undefined ? "connect" : "secureConnect", () => {
      if (tls !== undefined) {
        socket.setNoDelay(true);
        const { alpnProtocol } = socket as Socket & { alpnProtocol?: string | false | null };
        if (alpnProtocol !== "h2") {
          fail(new Error("the server does not speak HTTP/2 over TLS: it did not choose ALPN h2"));
          return;
        }
      }
      done();
      const connection = new Connection("client", socket, events, connectionOptions);
      attachToServer(connection, socket);
      resolve(connection);
    });
  });
}
