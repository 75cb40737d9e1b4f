import type { HeaderFields } from "../stream/header-fields.ts";
import type { Http2Stream } from "../stream/http2-stream.ts";
import type { PeerTls } from "../stream/peer-tls.ts";
import type { StreamListener } from "../stream/stream-listener.ts";
import type { ConnectionLimits } from "./limits.ts";
import type { Role } from "./role.ts";
import type { ConnectionStatus } from "./time/activity.ts";

/** One HTTP/2 connection, either role (RFC 9113), as the layer above uses it. */
export interface Http2Connection {
  readonly role: Role;
  readonly limits: ConnectionLimits;
  /** Undefined without TLS. */
  readonly peerTls: PeerTls | undefined;
  /** `host:port` of the other end; undefined in memory and over Unix sockets. A socket forgets it when it closes, we do not. */
  readonly peerAddress: string | undefined;
  /** The other end's address without its port, while the socket is open. */
  readonly remoteAddress: string | undefined;
  readonly isClosed: boolean;
  /** The largest header list that the peer says it takes; Infinity when it has not said. */
  readonly peerMaxHeaderListBytes: number;
  readonly openStreams: number;
  /** Client: whether `request` can open a stream now. */
  readonly canOpenStream: boolean;
  /** Client: whether the connection takes new requests at all, now or when a stream ends. */
  readonly isAcceptingRequests: boolean;

  /** Counts and state of the connection, for debugging; a new object for each call. */
  status(): ConnectionStatus;
  /** Client: sends a request head, `fields` and then `extra`. Throws when `canOpenStream` is false. */
  request(fields: HeaderFields, extra: readonly string[], endStream: boolean, listener: StreamListener): Http2Stream;
  /** Sends a PING; the promise resolves with its acknowledgement, or rejects when the connection ends first. */
  ping(): Promise<void>;
  /**
   * Ends the connection without losing a request: a GOAWAY asks the peer not to open more streams, those that are open run
   * to their end, then the socket is closed (RFC 9113 §6.8). `reason` travels as debug data, in ASCII.
   */
  drain(reason?: string): void;
  /**
   * Ends the connection now: open streams are cut off on both sides. `reason` travels as debug data, in ASCII; `message` is what
   * our side's streams see. Default: NO_ERROR, that the connection was closed, and the reason.
   */
  close(code?: number, reason?: string, message?: string): void;
}

/** A connection whose owner moves the bytes: the owner passes on what arrives, and reports when the channel has room and when it has closed. */
export interface FedConnection extends Http2Connection {
  /**
   * Bytes from the peer; those after the client's preface when this is a server. Never throws. True: the chunk has been used
   * up, so its memory can be freed or filled again. `isReused`: its memory is filled again in any case once this has returned. Default: false.
   */
  receive(chunk: Uint8Array, isReused?: boolean): boolean;
  /** The channel has sent everything it held. */
  drained(): void;
  /** The channel is gone. */
  socketClosed(cause?: Error): void;
}
