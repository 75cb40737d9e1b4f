import type { Socket } from "node:net";
import type { Connection } from "../connection/connection.ts";

/** Lets a connection live on a socket. Errors always have a listener: an RST must never end the process. */
export function attach(connection: Connection, socket: Socket): void {
  let cause: Error | undefined;
  socket.on("data", (chunk: Uint8Array) => connection.receive(chunk));
  socket.on("drain", () => connection.drained());
  socket.on("error", (error: Error) => {
    cause = error;
  });
  socket.on("close", () => connection.socketClosed(cause));
}
