import type { OnReadOpts, Socket } from "node:net";

/** As much as libuv reads at once where it has the choice. */
const readBytes = 65_536;

/** Undefined before the first connection. */
let shared: Buffer | undefined;

/**
 * Makes a socket read into memory that all sockets with this option share, instead of a new buffer for each read: a chunk is valid only
 * until the listeners of "data" return. Sockets that a server accepts cannot have it.
 *
 * @param socket returns the socket, which is made with these options
 */
export function intoSharedBuffer(socket: () => Socket): OnReadOpts {
  // Unpooled: it must be no one else's, and its ArrayBuffer is how a chunk is known.
  shared ??= Buffer.allocUnsafeSlow(readBytes);
  // Node calls it as a method of the socket, Bun as a function.
  const callback = (bytes: number, buffer: Uint8Array): boolean => {
    socket().emit("data", buffer.subarray(0, bytes));
    return true;
  };
  return { buffer: shared, callback };
}

/** Whether the memory of `chunk` is written again once its listeners have returned. */
export function isInSharedBuffer(chunk: Uint8Array): boolean {
  return chunk.buffer === shared?.buffer;
}
