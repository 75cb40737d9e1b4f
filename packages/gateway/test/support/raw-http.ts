import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** Sends bytes on a connection of their own and returns all that comes until the server closes it, or what has come when `until` fits. */
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

/** The status of the first response. */
export function statusOf(response: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(response)?.[1] ?? 0);
}
