import { once } from "node:events";
import { type ClientOptions, WebSocket } from "ws";

/** A WebSocket of `ws` that records the received messages. */
export interface SocketClient {
  readonly socket: WebSocket;
  /** Returns the next message. Rejects if the connection closes before. */
  next(): Promise<Buffer>;
  /** Resolves with the close code and reason. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
}

/** Connects and waits until the connection is open. */
export async function openSocket(
  url: string,
  protocols: string[] = [],
  options: ClientOptions = {},
): Promise<SocketClient> {
  const socket = new WebSocket(url.replace(/^http/, "ws"), protocols, options);
  const waiting: Buffer[] = [];
  const readers: { resolve(message: Buffer): void; reject(error: Error): void }[] = [];
  socket.on("message", (data) => {
    const reader = readers.shift();
    if (reader === undefined) waiting.push(data as Buffer);
    else reader.resolve(data as Buffer);
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on("close", (code, reason) => {
      for (const { reject } of readers.splice(0)) reject(new Error(`closed with ${code} ${reason}`));
      resolve({ code, reason: reason.toString() });
    });
  });
  await once(socket, "open");
  socket.on("error", () => {});
  return {
    socket,
    closed,
    next() {
      const message = waiting.shift();
      if (message !== undefined) return Promise.resolve(message);
      return new Promise((resolve, reject) => readers.push({ resolve, reject }));
    },
  };
}

/** Returns the status and body of the response to a refused handshake. */
export async function refusedHandshake(
  url: string,
  protocols: string[] = [],
  options: ClientOptions = {},
): Promise<{ readonly status: number; readonly body: string }> {
  const socket = new WebSocket(url.replace(/^http/, "ws"), protocols, options);
  socket.on("error", () => {});
  const [, response] = (await once(socket, "unexpected-response")) as [
    unknown,
    AsyncIterable<Buffer> & { readonly statusCode: number },
  ];
  let body = "";
  for await (const chunk of response) body += chunk.toString();
  return { status: response.statusCode, body };
}
