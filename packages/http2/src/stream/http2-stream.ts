import type { HeaderFields } from "./header-fields.ts";
import type { PeerTls } from "./peer-tls.ts";
import type { StreamListener } from "./stream-listener.ts";

/** One request and its response (RFC 9113 §5), as the layer above uses it: a server's stream sends the response's half, a client's the request's. */
export interface Http2Stream {
  readonly id: number;
  /** Server: set it before `onStream` returns. */
  listener: StreamListener | undefined;
  readonly isClosed: boolean;
  /** It is closed, and nothing runs for it any more, see `hold`. */
  readonly isReleased: boolean;
  /** Whether headers, data or trailers can still be sent: the stream is open and its end was not sent or promised. */
  readonly isWritable: boolean;
  /** Bytes that wait for a window or the socket. */
  readonly pendingBytes: number;
  /** `host:port` of the other end; undefined in memory and over Unix sockets. */
  readonly peerAddress: string | undefined;
  /** What TLS knows about the other end; undefined without TLS. */
  readonly peerTls: PeerTls | undefined;
  /** The largest header list that the peer says it takes; Infinity when it has not said. Advice only. */
  readonly peerMaxHeaderListBytes: number;

  /** The response's head (server); interim heads (1xx) may come before it. `extra` follows `fields` in the same block. */
  sendHeaders(fields: HeaderFields, endStream?: boolean, extra?: readonly string[]): void;
  /**
   * Sends data, or keeps it until there is room. The stream owns `bytes` from here on. False: more than
   * `limits.output.streamBufferBytes` wait, and the caller should hold back until `onWritable`.
   */
  sendData(bytes: Uint8Array, endStream?: boolean): boolean;
  /**
   * `sendData` for a large payload that no one reads afterwards: once it has left, its memory is freed, and `bytes` is empty
   * from then on. Worth it for a buffer that `bytes` fills; a part of one is sent and left alone.
   */
  giveData(bytes: Uint8Array, endStream?: boolean): boolean;
  /**
   * The short way for small data: room for one DATA frame of `bytes` in the connection's output, to be filled in place.
   * Returns the offset into `outputBytes`, or -1 when the data has to wait; `sendData` is the way then.
   * `commitData` must follow before anything else is sent on the connection.
   */
  reserveData(bytes: number): number;
  /** The memory that `reserveData` gave an offset into. */
  readonly outputBytes: Uint8Array;
  commitData(offset: number, bytes: number, endStream: boolean): void;
  /**
   * Sends `prefix` and then `body` as copies, where all of it can leave at once: they may be changed once this returns. False, and nothing is sent: it
   * has to wait, and `sendData` is the way. Worth it for up to 64 KiB; more is better sent without a copy.
   */
  copyData(prefix: Uint8Array, body: Uint8Array, endStream: boolean): boolean;
  /** Sends trailers after the data that waits, and ends our side. */
  sendTrailers(fields: HeaderFields): void;

  /** Gives the peer credit for `bytes` of received data that have been used up. */
  consume(bytes: number): void;
  /**
   * `bytes` of received data are held because the rest of their message has to come. The peer gets credit for them as if they were used
   * up, at once or when there is room for them among all that is held like this. Call `repay` once they are used up.
   */
  lend(bytes: number): void;
  /** The message is complete whose bytes were lent; they are still held. */
  messageComplete(): void;
  /** Lent bytes have been used up, all by default. */
  repay(bytes?: number): void;
  /**
   * Call before a message is made that may be much larger than what came for it, such as one that is compressed. A promise: continue when it
   * resolves, which is when there is room for `bytes` among all that the connection holds. Call `keepRoom` once the message is made.
   */
  takeRoom(bytes: number): Promise<void> | undefined;
  /** The message is made and has so many bytes. It counts until the next, or until the stream is over and released; 0 when it is used up. */
  keepRoom(bytes: number): void;
  /** The call was cut off: `takeRoom` resolves now. */
  leaveRoom(): void;

  /** The layer above counts its messages here … */
  messageSent(): void;
  /** … and what one was for work, in units of a small message. */
  messageReceived(work: number): void;
  /** What the layer above sends was too large for the peer, and the stream was reset for it. */
  headersTooLarge(): void;

  /**
   * Server: call before the request's handler begins, with the bytes that its response is expected to take. False: too much of earlier
   * responses waits for the peer, and the handler must not begin before the listener's `onAdmitted`.
   */
  admit(expectedBytes: number): boolean;
  /**
   * Keeps the stream's place in the count of concurrent streams until `release`, even when the stream is reset:
   * otherwise a peer that resets what it opens could have any number of handlers running (CVE-2023-44487).
   */
  hold(): void;
  release(): void;
  /** The process may end although the stream is open, as with `unref` of Node's sockets and timers. */
  unref(): void;

  /** Ends the stream at once. The listener is not called, because its owner asked for the reset. Default code: CANCEL. */
  reset(code?: number): void;
  /** Resets the stream once our side's end has left, if the peer has not ended its own by then (RFC 9113 §8.1). */
  resetWhenSent(code: number): void;
}
