import {
  type Clock,
  type Connection,
  type ConnectionLimits,
  type ConnectionStatus,
  type ConnectOptions,
  connect as connectHttp2,
  type Keepalive,
  type PreparedHeaders,
  resolveLimits,
} from "@tercel/http2";
import { headerListBytes, headerListTooLarge } from "../protocol/header-list.ts";
import type { ClientCall } from "./client-call.ts";
import type { Address, ClientConnection, Connect } from "./client-connection.ts";
import { GrowingKeepalive } from "./growing-keepalive.ts";
import type { LimitReporter } from "./limit-reporter.ts";

export type ClientTlsOptions = NonNullable<ConnectOptions["tls"]>;

/** How a channel's connections are made. */
export interface Http2ConnectSettings {
  /** A function is asked anew for each connection. */
  readonly tls: ClientTlsOptions | (() => ClientTlsOptions) | undefined;
  readonly limits: Partial<ConnectionLimits>;
  readonly keepalive: Keepalive | undefined;
  readonly unindexedFields: readonly string[];
  readonly clock: Clock;
  /** Told of the limits that servers strike. */
  readonly limitReporter?: LimitReporter;
}

/** A client's connection over the engine. */
export class Http2ClientConnection implements ClientConnection {
  private readonly connection: Connection;

  constructor(connection: Connection) {
    this.connection = connection;
  }

  get canStartCall(): boolean {
    return this.connection.canOpenStream;
  }

  get isAcceptingCalls(): boolean {
    return this.connection.isAcceptingRequests;
  }

  get openCalls(): number {
    return this.connection.openStreams;
  }

  /**
   * Gives the call its stream and sends the request's head. Only while `canStartCall`. Throws a ConnectError, with nothing sent, where the
   * server does not accept so much metadata.
   */
  start(call: ClientCall, head: PreparedHeaders, extra: readonly string[]): void {
    const bytes = head.listBytes + headerListBytes(extra);
    const limitBytes = this.connection.peerMaxHeaderListBytes;
    if (bytes > limitBytes) throw headerListTooLarge("request headers", bytes, limitBytes);
    call.stream = this.connection.request(head, extra, false, call);
  }

  status(): ConnectionStatus {
    return this.connection.status();
  }

  drain(): void {
    this.connection.drain();
  }

  close(): void {
    this.connection.close();
  }
}

/** Connects over TCP, TLS or a Unix socket, and waits for the server's SETTINGS: only then is it known to speak HTTP/2. */
export function createHttp2Connect(settings: Http2ConnectSettings): Connect {
  // Here and not with the first connection, where nobody could catch it.
  const resolvedLimits = resolveLimits(settings.limits);
  const growingKeepalive = new GrowingKeepalive(settings.keepalive);
  return (address, events, attempt) => {
    const { unindexedFields, clock, limitReporter } = settings;
    const keepalive = growingKeepalive.current;
    return new Promise((resolve, reject) => {
      const tls = typeof settings.tls === "function" ? settings.tls() : settings.tls;
      let ready: Http2ClientConnection | undefined;
      let connection: Connection | undefined;
      const deadline = clock.after(attempt.connectTimeoutMs, () => {
        giveUp(new Error(`no answer within ${attempt.connectTimeoutMs} ms`));
      });
      const onAbort = (): void => giveUp(new Error("the attempt was given up"));
      const settled = (): void => {
        deadline();
        attempt.signal.removeEventListener("abort", onAbort);
      };
      const giveUp = (error: Error): void => {
        settled();
        reject(error);
        connection?.close();
      };
      const becomeReady = (): void => {
        if (connection === undefined || ready !== undefined) return;
        settled();
        ready = new Http2ClientConnection(connection);
        resolve(ready);
      };
      let settingsCame = false;
      attempt.signal.addEventListener("abort", onAbort, { once: true });
      connectHttp2(
        address,
        {
          onReady: () => {
            settingsCame = true;
            becomeReady();
          },
          onCapacity: () => events.onCapacity(),
          onGoaway: (goaway) => {
            growingKeepalive.onGoaway(goaway);
            events.onGoaway(goaway);
          },
          onLimit: (event) =>
            limitReporter?.report(event, "path" in address ? `unix:${address.path}` : address.host, connection),
          onClose: (error) => {
            if (ready !== undefined) events.onClose(error);
            else giveUp(error ?? new Error("the server closed the connection before it said anything"));
          },
        },
        {
          ...(tls === undefined ? {} : { tls: withServerName(tls, address) }),
          ...(keepalive === undefined ? {} : { keepalive }),
          resolvedLimits,
          unindexedFields,
          clock,
          connectTimeoutMs: attempt.connectTimeoutMs,
          signal: attempt.signal,
        },
      ).then(
        (made) => {
          connection = made;
          if (attempt.signal.aborted) made.close();
          else if (settingsCame) becomeReady();
        },
        (error: Error) => giveUp(error.cause instanceof Error ? error.cause : error),
      );
    });
  };
}

/** TLS asks for the server by name (RFC 6066 §3), which an IP address is not. */
function withServerName(tls: ClientTlsOptions, address: Address): ClientTlsOptions {
  if (tls.servername !== undefined || "path" in address || isIpAddress(address.host)) return tls;
  return { servername: address.host, ...tls };
}

function isIpAddress(host: string): boolean {
  return host.includes(":") || /^[0-9.]+$/.test(host);
}
