import type { OnReadOpts, Socket } from "node:net";

/** As much as libuv reads at once where it has the choice. */
const readBytes = 65_536;

/** Undefined before the first connection. */
let shared: Buffer | undefined;

/**
 * Makes a socket read into memory that all sockets with this option share, instead of a new buffer for each read: a chunk is valid only
 * until the listeners of "data" return. Sockets that a server accepts cannot have it.
 */
export function intoSharedBuffer(): OnReadOpts {
  // Unpooled: it must be no one else's, and its ArrayBuffer is how a chunk is known.
  shared ??= Buffer.allocUnsafeSlow(readBytes);
  return { buffer: shared, callback: emitData };
}

/** Whether the memory of `chunk` is written again once its listeners have returned. */
export function isInSharedBuffer(chunk: Uint8Array): boolean {
  return chunk.buffer === shared?.buffer;
}

/** Node calls it as a method of the socket. */
function emitData(this: unknown, bytes: number, buffer: Uint8Array): boolean {
  (this as Socket).emit("data", buffer.subarray(0, bytes));
  return true;
}
