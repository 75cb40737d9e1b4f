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
}

/** The call's info among the context values of a server's interceptors and handlers; undefined on other servers and on clients. */
export const callInfo: ContextKey<CallInfo | undefined> = createContextKey<CallInfo | undefined>(undefined, {
  description: "call info",
});
