import type { Socket } from "node:net";
import { freeBuffer } from "../bytes/free-buffer.ts";
import type { Connection } from "../connection/connection.ts";

/** Chunks from here on are freed at once; Node reads each into a buffer of its own. Below, freeing costs as much as it saves. */
const minFreedBytes = 16_384;

/** Lets a connection live on a socket. Errors always have a listener: an RST must never end the process. */
export function attach(connection: Connection, socket: Socket): void {
  let cause: Error | undefined;
  socket.on("data", (chunk: Uint8Array) => {
    const isUsedUp = connection.receive(chunk);
    if (isUsedUp && chunk.length >= minFreedBytes) freeBuffer(chunk);
  });
  socket.on("drain", () => connection.drained());
  socket.on("error", (error: Error) => {
    cause = error;
  });
  socket.on("close", () => connection.socketClosed(cause));
}
