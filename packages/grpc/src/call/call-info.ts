import { type ConnectError, type ContextKey, createContextKey } from "@connectrpc/connect";

/** What a server knows of a call beside its metadata and messages. */
export interface CallInfo {
  /** `host:port` of the client; undefined over Unix sockets and in memory. */
  readonly peerAddress: string | undefined;
  /**
   * What ended the call for the client while its handler may still run: the deadline, a cancellation, a lost connection, or the
   * error it was answered with. Undefined while the call is open and after a success.
   */
  readonly endedBy: ConnectError | undefined;
  /** Milliseconds until the deadline, 0 when it has passed; undefined for a call without one. */
  remainingMs(): number | undefined;
  /** Gives the call at most this many milliseconds from now. A deadline that is nearer stays. */
  shortenDeadline(timeoutMs: number): void;
}

/** The call's info among the context values of a server's interceptors and handlers; undefined on other servers and on clients. */
export const callInfo: ContextKey<CallInfo | undefined> = createContextKey<CallInfo | undefined>(undefined, {
  description: "call info",
});
