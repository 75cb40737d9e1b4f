import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

/** An open WebSocket. */
export interface MessageSocket {
  /** Sends a message. False: the send buffer is full; continue after `onWritable`. The caller must not change the bytes afterwards. */
  send(bytes: Uint8Array, isText: boolean): boolean;
  /** Closes the connection with a status, after the messages that were sent before. */
  close(code: number, reason: string): void;
  /** Closes the connection immediately. */
  terminate(): void;
  ping(): void;
  /** Stops reading messages until `resume`. */
  pause(): void;
  resume(): void;
}

/** Receives the events of a WebSocket. An error thrown from a method closes the connection. */
export interface MessageSocketListener {
  /** The listener may keep the bytes. */
  onMessage(bytes: Uint8Array, isText: boolean): void;
  /** A ping or pong was received. Pongs are sent by the socket itself. */
  onControl(): void;
  onWritable(): void;
  /** The client violated the protocol or exceeded a limit. The connection closes. */
  onViolation(reason: string): void;
  /** The connection is closed. No other method is called afterwards. */
  onClose(): void;
}

/** An HTTP/1.1 request that is upgraded to a WebSocket. */
export interface SocketUpgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** Bytes that were received after the head of the request. */
  readonly head: Buffer;
  /** The chosen subprotocol; undefined if the client offers none. */
  readonly protocol: string | undefined;
  /** Size limit of a received message. */
  readonly maxMessageBytes: number;
}

/** WebSocket implementation of a gateway, created with `createWebSockets` of `@tercel/gateway/websocket`. */
export interface WebSockets {
  /**
   * Completes the handshake and starts reading. An invalid handshake is refused without a call of `listen`.
   *
   * @param onFault called with an error that a listener has thrown
   */
  open(
    upgrade: SocketUpgrade,
    listen: (socket: MessageSocket) => MessageSocketListener,
    onFault: (error: unknown) => void,
  ): void;
}
