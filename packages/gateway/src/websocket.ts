// WebSockets of a gateway, by the package `ws`: `createGateway({ webSockets: createWebSockets() })`.

import type { IncomingMessage } from "node:http";
import { type WebSocket, WebSocketServer } from "ws";
import type { MessageSocket, MessageSocketListener, SocketUpgrade, WebSockets } from "./websocket/message-socket.ts";

export type { MessageSocket, MessageSocketListener, SocketUpgrade, WebSockets } from "./websocket/message-socket.ts";

/** Sent, and not taken by the client: from here on the handler waits. */
const maxUnsentBytes = 64 * 1024;

/** Browsers send a message in one frame. Each fragment takes ten times its bytes while others of its message are missing. */
const maxFragments = 1024;

/** How long a client may take to close its side after the server has. Until then what it sends is read, and thrown away. */
const closeTimeoutMs = 2000;

/**
 * Makes what a gateway speaks WebSocket with. It needs the package `ws`: `npm install ws`.
 *
 * Messages are not compressed: that takes memory for each connection, and lets a client choose how much work its messages are.
 */
export function createWebSockets(): WebSockets {
  /** By the largest message, which is a method's own: there are no more than methods. */
  const servers = new Map<number, WebSocketServer>();
  const protocols = new WeakMap<IncomingMessage, string>();
  const serverFor = (maxMessageBytes: number): WebSocketServer => {
    let server = servers.get(maxMessageBytes);
    if (server === undefined) {
      server = new WebSocketServer({
        ...{ noServer: true, clientTracking: false, perMessageDeflate: false },
        // To ws, 0 is no limit.
        maxPayload: Math.max(1, maxMessageBytes),
        maxFragments,
        handleProtocols: (_offered, request) => protocols.get(request) ?? false,
      });
      servers.set(maxMessageBytes, server);
    }
    return server;
  };
  return {
    open({ request, socket, head, protocol, maxMessageBytes }: SocketUpgrade, listen, onFault) {
      if (protocol !== undefined) protocols.set(request, protocol);
      serverFor(maxMessageBytes).handleUpgrade(request, socket, head, (opened) => {
        const messages = new WsMessageSocket(opened, onFault);
        messages.start(listen(messages));
      });
    },
  };
}

class WsMessageSocket implements MessageSocket {
  readonly #socket: WebSocket;
  readonly #onFault: (error: unknown) => void;
  #listener: MessageSocketListener | undefined = undefined;
  #isFull = false;
  #closeTimer: NodeJS.Timeout | undefined = undefined;

  constructor(socket: WebSocket, onFault: (error: unknown) => void) {
    this.#socket = socket;
    this.#onFault = onFault;
  }

  start(listener: MessageSocketListener): void {
    const socket = this.#socket;
    this.#listener = listener;
    socket.on("message", (data, isBinary) => this.#guard(() => listener.onMessage(data as Buffer, !isBinary)));
    socket.on("ping", () => this.#guard(() => listener.onControl()));
    socket.on("pong", () => this.#guard(() => listener.onControl()));
    socket.on("error", (error) => {
      // ws has sent the reason, and reads on in the next tick to throw away what comes.
      this.#terminateSoon();
      setImmediate(() => socket.pause());
      this.#guard(() => listener.onViolation(error.message));
    });
    socket.on("close", () => {
      clearTimeout(this.#closeTimer);
      this.#guard(() => listener.onClose());
    });
  }

  send(bytes: Uint8Array, isText: boolean): boolean {
    this.#socket.send(bytes, { binary: !isText }, () => this.#onSent());
    this.#isFull = this.#socket.bufferedAmount >= maxUnsentBytes;
    return !this.#isFull;
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
    // The client's answer to this may come after more than what is read ahead.
    this.#socket.resume();
    this.#terminateSoon();
  }

  terminate(): void {
    this.#socket.terminate();
  }

  ping(): void {
    this.#socket.ping();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  #terminateSoon(): void {
    this.#closeTimer ??= setTimeout(() => this.#socket.terminate(), closeTimeoutMs).unref();
  }

  #onSent(): void {
    if (!this.#isFull || this.#socket.bufferedAmount >= maxUnsentBytes) return;
    this.#isFull = false;
    this.#guard(() => this.#listener?.onWritable());
  }

  /** Nothing that a listener throws may leave an event: it would end the process. */
  #guard(notify: () => void): void {
    try {
      notify();
    } catch (error) {
      this.#onFault(error);
      this.#socket.terminate();
    }
  }
}
