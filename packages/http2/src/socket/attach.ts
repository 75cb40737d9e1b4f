import type { Socket } from "node:net";
import type { Connection } from "../connection/connection.ts";

/**
 * Chunks from here on are freed at once instead of left to the garbage collector, which counts their memory and collects the whole heap
 * for every 64 MB of it: half of the time of a server that echoes messages of 1 MiB. Below, freeing costs as much as it saves.
 */
const minFreedBytes = 16_384;

/** Lets a connection live on a socket. Errors always have a listener: an RST must never end the process. */
export function attach(connection: Connection, socket: Socket): void {
  let cause: Error | undefined;
  socket.on("data", (chunk: Buffer<ArrayBuffer>) => {
    const isUsedUp = connection.receive(chunk);
    if (isUsedUp && chunk.length >= minFreedBytes) free(chunk);
  });
  socket.on("drain", () => connection.drained());
  socket.on("error", (error: Error) => {
    cause = error;
  });
  socket.on("close", () => connection.socketClosed(cause));
}

/** Node reads each chunk into a buffer of its own; one that is a part of another is left alone. */
function free(chunk: Buffer<ArrayBuffer>): void {
  if (chunk.length === chunk.buffer.byteLength) chunk.buffer.transfer(0);
}
