// WebSockets for a gateway, based on the package `ws`: `createGateway({ webSockets: createWebSockets() })`.

import type { IncomingMessage } from "node:http";
import { type WebSocket, WebSocketServer } from "ws";
import type { MessageSocket, MessageSocketListener, SocketUpgrade, WebSockets } from "./websocket/message-socket.ts";

export type { MessageSocket, MessageSocketListener, SocketUpgrade, WebSockets } from "./websocket/message-socket.ts";

/** Bytes in the send buffer from which on the handler waits. */
const maxUnsentBytes = 64 * 1024;

/** Browsers send a message in one frame. A short fragment takes ten times its size in memory until its message is complete. */
const maxFragments = 1024;

/** How long the client may take to close after the server has. Its messages are discarded until then. */
const closeTimeoutMs = 2000;

/**
 * Creates the WebSocket implementation of a gateway. Requires the package `ws`: `npm install ws`.
 *
 * Messages are not compressed: compression takes memory for each connection, and small messages from a client could cause much work.
 */
export function createWebSockets(): WebSockets {
  /** One server for each message limit. Limits are set by method, so their number is bounded. */
  const servers = new Map<number, WebSocketServer>();
  const protocols = new WeakMap<IncomingMessage, string>();
  const serverFor = (maxMessageBytes: number): WebSocketServer => {
    let server = servers.get(maxMessageBytes);
    if (server === undefined) {
      server = new WebSocketServer({
        ...{ noServer: true, clientTracking: false, perMessageDeflate: false },
        // 0 would mean no limit.
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
      // ws has sent the close frame, and resumes reading in the next tick to discard further data.
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
    // The client's close frame may come after more data than a paused socket buffers.
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

  /** Catches errors of listeners: an error thrown from an event would end the process. */
  #guard(notify: () => void): void {
    try {
      notify();
    } catch (error) {
      this.#onFault(error);
      this.#socket.terminate();
    }
  }
}
