import type { Socket } from "node:net";
import { freeBuffer } from "../bytes/free-buffer.ts";
import type { Connection } from "../connection/connection.ts";
import { ignoreErrors } from "./ignore-errors.ts";
import { isInSharedBuffer } from "./read-buffer.ts";

/** Chunks from here on are freed at once; Node reads each into a buffer of its own. Below, freeing costs as much as it saves. */
const minFreedBytes = 16_384;

const attached = Symbol("connection");

interface AttachedSocket extends Socket {
  [attached]: Connection;
}

/**
 * Connects a connection to a socket. The listeners are the same for all sockets and find the connection by the socket: four
 * closures each would be a tenth of the memory of an idle one.
 */
export function attach(connection: Connection, socket: Socket): void {
  (socket as AttachedSocket)[attached] = connection;
  ignoreErrors(socket);
  socket.on("data", onData);
  socket.on("drain", onDrain);
  socket.on("close", onClose);
}

/** Gives what the socket delivers to `listener`, until the function that is returned gives it to the connection again. */
export function divertData(socket: Socket, listener: (chunk: Uint8Array) => void): () => void {
  socket.off("data", onData);
  socket.on("data", listener);
  return () => {
    socket.off("data", listener);
    socket.on("data", onData);
  };
}

function onData(this: AttachedSocket, chunk: Uint8Array): void {
  const isReused = isInSharedBuffer(chunk);
  const isUsedUp = this[attached].receive(chunk, isReused);
  if (isUsedUp && !isReused && chunk.length >= minFreedBytes) freeBuffer(chunk);
}

function onDrain(this: AttachedSocket): void {
  this[attached].drained();
}

function onClose(this: AttachedSocket): void {
  this[attached].socketClosed(this.errored ?? undefined);
}
