import { type ConnectError, type ContextKey, createContextKey } from "@connectrpc/connect";
import type { MessageObserver } from "../../hooks/message-observer.ts";

/** The identity in a client's verified certificate. The common name is left out, because certificate authorities need not verify it. */
export interface ClientCertificate {
  /** Uniform resource identifiers among the subject alternative names, SPIFFE ids for instance. */
  readonly uris: readonly string[];
  /** DNS names among the subject alternative names, in lower case. */
  readonly dnsNames: readonly string[];
  /** Whether it may sign others, which the certificate of a program may not. */
  readonly isAuthority: boolean;
  /** Milliseconds since 1970. A connection may outlive the certificate it was opened with. */
  readonly expiresAtMs: number;
  /** SHA-256 of the whole certificate in hexadecimal, for logs. */
  readonly fingerprint: string;
}

/** What TLS knows about the client of a call. */
export interface ClientTls {
  /** Undefined unless the client has sent a certificate that was verified: servers request it with `tls.requestCert`. */
  readonly certificate: ClientCertificate | undefined;
}

/** A call that is over for the server: its status is handed to the connection, or no one waits for one any more. */
export interface EndedCall {
  /** Undefined after a success. */
  readonly endedBy: ConnectError | undefined;
  /** Bytes of all response messages as they were sent, compressed or not, prefixes and frames excluded. */
  readonly sentMessageBytes: number;
  /** The same of the request messages. Those that came after the end do not count. */
  readonly receivedMessageBytes: number;
}

/** Hears of a call's end, once. What it throws is ignored. */
export type OnCallEnd = (call: EndedCall) => void;

/** What a server knows of a call in addition to its metadata and messages. */
export interface CallInfo {
  /** `host:port` of the client; undefined over Unix sockets and in memory. */
  readonly peerAddress: string | undefined;
  /** Undefined for cleartext, over Unix sockets and in memory. */
  readonly peerTls: ClientTls | undefined;
  /**
   * What ended the call for the client while its handler may still run: the deadline, a cancellation, a lost connection, or the
   * error it was answered with. Undefined while the call is open and after a success.
   */
  readonly endedBy: ConnectError | undefined;
  /**
   * When the call's headers arrived, by `performance.now()`: before the message of a unary request. Undefined where no interceptor has a step for
   * arrivals, so that other servers need not read the clock.
   */
  readonly arrivedAtMs: number | undefined;
  /** Whether the call has a deadline; does not read the clock. */
  readonly hasDeadline: boolean;
  /** Milliseconds until the deadline, 0 when it has passed; undefined for a call without one. */
  remainingMs(): number | undefined;
  /** Gives the call at most this many milliseconds from now. A deadline that is nearer stays. */
  shortenDeadline(timeoutMs: number): void;
  /**
   * Calls `listener` when the call is over: after all interceptors, with the status that the client gets, whatever the handler still does. At
   * once when it is over already.
   */
  whenOver(listener: OnCallEnd): void;
  /**
   * Observes the call's messages as they pass, until it is over. A request that is not a stream is reported even if it was received before.
   * What the observer throws is ignored.
   *
   * @returns how many requests of a stream were received before, which are not reported
   */
  watchMessages(observer: MessageObserver): number;
}

/** The call's info among the context values of a server's interceptors and handlers; undefined on other servers and on clients. */
export const callInfo: ContextKey<CallInfo | undefined> = createContextKey<CallInfo | undefined>(undefined, {
  description: "call info",
});
