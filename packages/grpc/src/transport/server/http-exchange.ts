import type { ClientTls } from "../../call/context/call-info.ts";
import type { Payload } from "../../protocol/payload.ts";
import type { PreparedHead } from "../prepared-head.ts";

/** What a client sent before the body. */
export interface HttpRequestHead {
  readonly method: string;
  /** With the query, as it was written. */
  readonly path: string;
  readonly scheme: "http" | "https";
  readonly authority: string | undefined;
  /** Name, value, name, value, …; names are in lower case. */
  readonly fields: readonly string[];
  readonly version: "1.0" | "1.1" | "2";
  /** For whoever serves the request: what it derived from this head. Requests of a connection that sent the same bytes may share one head. */
  memo?: unknown;
}

/** Receives what comes of a request after its head. */
export interface HttpExchangeListener {
  /** The bytes are only lent until this returns. */
  onData(bytes: Uint8Array): void;
  /** The request is complete. */
  onEnd(): void;
  /** The client has left, or was cut off, before the response was complete. Nothing more is called. */
  onClose(reason: string): void;
  /** There is room for more data, after a `sendData` that returned false. */
  onWritable(): void;
}

/** One HTTP request and its response, whatever version of HTTP carries them. */
export interface HttpExchange {
  readonly head: HttpRequestHead;
  /** `host:port` of the client; undefined over Unix sockets. */
  readonly peerAddress: string | undefined;
  readonly peerTls: ClientTls | undefined;
  /** The connection counts its requests against the server's limit of calls. */
  readonly countsCalls: boolean;
  /** Set before the exchange's handler returns. Nothing is delivered before. */
  listener: HttpExchangeListener | undefined;
  /** The body is a stream that the client continues when it has something to say: it may come as slowly as that. */
  allowSlowBody(): void;
  /** Bytes that were delivered are used up. While too many are not, no more are read. */
  consume(bytes: number): void;
  /** Bytes that were delivered are kept until the request is complete: more are read while there is room for them. `repay` gives all back. */
  lend(bytes: number): void;
  /** The message is complete whose bytes were lent; they are still kept. */
  messageComplete(): void;
  repay(bytes?: number): void;
  /**
   * Call before the handler begins, with the bytes that its response is expected to take. False: it must not begin before `onAdmitted` is called,
   * because too much of other responses waits for the client.
   */
  admit(expectedBytes: number, onAdmitted: () => void): boolean;
  /** The handler begins; until it has ended, the request counts among those of its connection, whatever becomes of it. */
  handlerBegan(): void;
  handlerEnded(): void;
  /** Once. Fields: name, value, name, value, …; names in lower case. */
  sendHead(status: number, fields: readonly string[]): void;
  /** The same for a head that is sent over and over. `added` follows its fields. */
  sendPreparedHead(head: PreparedHead, added: readonly string[]): void;
  /** After the head. False: enough waits to be sent, continue after `onWritable`. The bytes must not be changed afterwards. */
  sendData(bytes: Uint8Array): boolean;
  /** The same for a message and the five bytes before it. The payload is the caller's again once this returns, its bytes as with `sendData`. */
  sendMessage(payload: Payload): boolean;
  /** After the head: the response is complete, with these bytes as its last. What still comes of the request is dropped. */
  end(last?: Uint8Array): void;
  /** Cuts the response off, so that the client sees that it is not complete. */
  reset(): void;
}
