import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

/** A WebSocket that is open. */
export interface MessageSocket {
  /** False: enough waits to be sent, continue after `onWritable`. The bytes must not be changed afterwards. */
  send(bytes: Uint8Array, isText: boolean): boolean;
  /** Ends the connection with a status; what was sent before it still arrives. */
  close(code: number, reason: string): void;
  /** Ends the connection at once. */
  terminate(): void;
  ping(): void;
  /** Reads no more messages. */
  pause(): void;
  resume(): void;
}

/** Receives what comes over a WebSocket. What it throws ends the connection. */
export interface MessageSocketListener {
  /** The bytes are the listener's to keep. */
  onMessage(bytes: Uint8Array, isText: boolean): void;
  /** A ping or a pong has come. Pings are answered already. */
  onControl(): void;
  onWritable(): void;
  /** The client broke the protocol or a limit of it. The connection closes. */
  onViolation(reason: string): void;
  /** The connection is closed. Nothing more is called. */
  onClose(): void;
}

/** An HTTP/1.1 request that becomes a WebSocket. */
export interface SocketUpgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** What came after the request's head. */
  readonly head: Buffer;
  /** The subprotocol that was chosen; undefined where the client names none. */
  readonly protocol: string | undefined;
  /** The largest message. */
  readonly maxMessageBytes: number;
}

/** Speaks WebSocket for a gateway: `createWebSockets` of `@tercel/gateway/websocket` makes one. */
export interface WebSockets {
  /**
   * Completes the handshake and begins to read. A handshake that is not in order is refused, and `listen` is not called.
   *
   * @param onFault is called with what a listener has thrown
   */
  open(
    upgrade: SocketUpgrade,
    listen: (socket: MessageSocket) => MessageSocketListener,
    onFault: (error: unknown) => void,
  ): void;
}
