import {
  type Clock,
  type ConnectionLimitOptions,
  type ConnectionStatus,
  type ConnectOptions,
  connect as connectHttp2,
  ErrorCode,
  type Http2Connection,
  type Keepalive,
  type PreparedHeaders,
} from "@tercel/http2";
import { resolveLimits } from "@tercel/http2/internal";
import { type Log, stderrLog } from "../../logging/log.ts";
import { hostOfAuthority, isAuthority } from "../../protocol/authority.ts";
import { headerListBytes, headerListTooLarge } from "../../protocol/header-list.ts";
import type { LimitReporter } from "../limit-reporter.ts";
import { AuthorityHeads } from "./authority-heads.ts";
import type { ClientConnection, Connect, StartingCall } from "./client-connection.ts";
import { closedEarly, connectError } from "./connect-error.ts";
import { GrowingKeepalive } from "./growing-keepalive.ts";

export type ClientTlsOptions = NonNullable<ConnectOptions["tls"]>;

/** How a channel's connections are made. */
export interface Http2ConnectSettings {
  /** A function is called for each connection. */
  readonly tls: ClientTlsOptions | (() => ClientTlsOptions) | undefined;
  /** What calls carry as `:authority`. Its host is the name that TLS verifies and sends as SNI. */
  readonly authority: string;
  /** The application has set `authority`, which then holds for addresses with one of their own as well. */
  readonly isAuthorityFixed: boolean;
  readonly limits: ConnectionLimitOptions;
  readonly keepalive: Keepalive | undefined;
  readonly unindexedFields: readonly string[];
  readonly clock: Clock;
  /** Default: warnings and errors as JSON lines on standard error. */
  readonly log?: Log;
  /** Receives the limits that servers exceed. */
  readonly limitReporter?: LimitReporter;
}

/** A client's connection over the engine. */
export class Http2ClientConnection implements ClientConnection {
  private readonly connection: Http2Connection;
  /** For a server with an authority of its own; undefined where calls carry the channel's. */
  private readonly ownHeads: AuthorityHeads | undefined;

  constructor(connection: Http2Connection, authority?: string) {
    this.connection = connection;
    this.ownHeads = authority === undefined ? undefined : new AuthorityHeads(authority);
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

  start(call: StartingCall, head: PreparedHeaders, extra: readonly string[]): void {
    const ownHead = this.ownHeads === undefined ? head : this.ownHeads.of(head);
    const bytes = ownHead.listBytes + headerListBytes(extra);
    const limitBytes = this.connection.peerMaxHeaderListBytes;
    if (bytes > limitBytes) throw headerListTooLarge("request headers", bytes, limitBytes);
    call.begin(this.connection.request(ownHead, extra, false, call));
  }

  status(): ConnectionStatus {
    return this.connection.status();
  }

  drain(): void {
    this.connection.drain();
  }

  close(reason?: string): void {
    this.connection.close(ErrorCode.noError, "", reason);
  }
}

/** Connects over TCP, TLS or a Unix socket, and waits for the server's SETTINGS: only then is it known to speak HTTP/2. */
export function createHttp2Connect(settings: Http2ConnectSettings): Connect {
  // Here and not with the first connection, where no caller could catch it.
  const resolvedLimits = resolveLimits(settings.limits);
  const growingKeepalive = new GrowingKeepalive(settings.keepalive, settings.log ?? stderrLog);
  return (address, events, attempt) => {
    const { unindexedFields, clock, limitReporter } = settings;
    const keepalive = growingKeepalive.current;
    const ownAuthority = settings.isAuthorityFixed ? undefined : address.authority;
    if (ownAuthority !== undefined && !isAuthority(ownAuthority)) {
      throw new TypeError(
        `the resolver gave the authority ${JSON.stringify(ownAuthority)}, which is not a host with or without port`,
      );
    }
    return new Promise((resolve, reject) => {
      const tls = typeof settings.tls === "function" ? settings.tls() : settings.tls;
      const attemptEnd = new AbortController();
      let ready: Http2ClientConnection | undefined;
      let connection: Http2Connection | undefined;
      // The only timer of the attempt: the engine's would end with the TLS handshake.
      const cancelDeadline = clock.after(attempt.connectTimeoutMs, () => {
        giveUp(new Error(`no response within ${attempt.connectTimeoutMs} ms`));
      });
      const onAbort = (): void => giveUp(new Error("the attempt was cancelled"));
      const settled = (): void => {
        cancelDeadline();
        attempt.signal.removeEventListener("abort", onAbort);
      };
      const giveUp = (error: Error): void => {
        settled();
        reject(error);
        attemptEnd.abort();
        connection?.close();
      };
      const becomeReady = (): void => {
        if (connection === undefined || ready !== undefined) return;
        settled();
        ready = new Http2ClientConnection(connection, ownAuthority);
        resolve(ready);
      };
      let hasSettings = false;
      attempt.signal.addEventListener("abort", onAbort, { once: true });
      if (attempt.signal.aborted) onAbort();
      connectHttp2(
        address,
        {
          onReady: () => {
            hasSettings = true;
            becomeReady();
          },
          onCapacity: () => events.onCapacity(),
          onGoaway: (goaway) => {
            growingKeepalive.onGoaway(
              goaway,
              "path" in address ? `unix:${address.path}` : `${address.host}:${address.port}`,
            );
            events.onGoaway(goaway);
          },
          onLimit: (event) =>
            limitReporter?.report(event, "path" in address ? `unix:${address.path}` : address.host, connection),
          onClose: (error) => {
            if (ready !== undefined) events.onClose(error);
            else giveUp(error === undefined ? closedEarly(tls !== undefined) : connectError(error, tls !== undefined));
          },
        },
        {
          ...(tls === undefined ? {} : { tls, serverName: hostOfAuthority(ownAuthority ?? settings.authority) }),
          ...(keepalive === undefined ? {} : { keepalive }),
          resolvedLimits,
          unindexedFields,
          clock,
          unrefWhenIdle: true,
          connectTimeoutMs: Number.POSITIVE_INFINITY,
          signal: attemptEnd.signal,
        },
      ).then(
        (made) => {
          connection = made;
          if (attemptEnd.signal.aborted) made.close();
          else if (hasSettings) becomeReady();
        },
        (error: Error) => giveUp(connectError(error, tls !== undefined)),
      );
    });
  };
}
