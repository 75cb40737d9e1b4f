import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** Sends bytes on a new connection. Returns the received bytes when the server closes it, or when they match `until`. */
export async function sendRaw(port: number, text: string, until?: RegExp): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    socket.write(text, "latin1");
    return await readUntil(socket, until);
  } finally {
    socket.destroy();
  }
}

export async function readUntil(socket: Socket, until?: RegExp): Promise<string> {
  let received = "";
  socket.on("error", () => {});
  return new Promise((resolve) => {
    socket.on("data", (chunk: Buffer) => {
      received += chunk.toString("latin1");
      if (until?.test(received)) resolve(received);
    });
    socket.on("close", () => resolve(received));
  });
}

/** Returns the status of the first response. */
export function statusOf(response: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(response)?.[1] ?? 0);
}
