import type { ConnectionStatus, Http2Stream, PreparedHeaders, StreamListener } from "@tercel/http2";

/** Where a connection goes: a TCP port, or the path of a Unix socket. */
export type Address = ({ readonly host: string; readonly port: number } | { readonly path: string }) & {
  /**
   * What this server is called, as `host` or `host:port`, where a resolver knows better than the channel: sent as the `:authority`
   * of calls to it, and its host is the name that TLS verifies. The channel's `authority` option has precedence. Default: the
   * channel's authority.
   */
  readonly authority?: string;
};

export type { ConnectionStatus };

/** A call that has not begun: it receives its stream, and then the events of the stream. */
export interface StartingCall extends StreamListener {
  /** Called once, before anything else. The request's head has been sent. */
  begin(stream: Http2Stream): void;
}

/** A connection as the channel sees it. */
export interface ClientConnection {
  /** A new call can begin now. */
  readonly canStartCall: boolean;
  /** The connection takes new calls at all: false after GOAWAY, after close, and when its stream identifiers are used up. */
  readonly isAcceptingCalls: boolean;
  readonly openCalls: number;
  /**
   * Gives the call its stream and sends the request's head, `extra` after `head`. Only while `canStartCall`. Throws a ConnectError, with
   * nothing sent, where the server does not accept so much metadata.
   */
  start(call: StartingCall, head: PreparedHeaders, extra: readonly string[]): void;
  /** What it has done so far, for channelz; absent where no one looks. */
  status?(): ConnectionStatus;
  /** Lets open calls end, then closes. */
  drain(): void;
  /** Closes now; open calls fail with Unavailable and `reason`, where there is one. */
  close(reason?: string): void;
}

export interface ClientConnectionEvents {
  /** A call has ended or the peer allows more, so `canStartCall` may have become true. */
  onCapacity(): void;
  /** `isAcceptingCalls` is false from now on; open calls continue. */
  onGoaway(info: { readonly code: number; readonly debug: string }): void;
  /** The connection is gone; called exactly once, and only after the attempt has succeeded. */
  onClose(error: Error | undefined): void;
}

export interface ConnectAttempt {
  /** From the first packet to the server's SETTINGS. */
  readonly connectTimeoutMs: number;
  /** Gives up the attempt. */
  readonly signal: AbortSignal;
}

/** Resolves when the transport is connected and the server's SETTINGS were received. Rejects with an error that says what failed. */
export type Connect = (
  address: Address,
  events: ClientConnectionEvents,
  attempt: ConnectAttempt,
) => Promise<ClientConnection>;
