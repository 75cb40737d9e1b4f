import type { Socket } from "node:net";

/**
 * Sees to it that an error of this socket, such as an RST, never ends the process. Whoever wants to know finds the error in
 * `errored` when the socket is closed.
 */
export function ignoreErrors(socket: Socket): void {
  if (!socket.listeners("error").includes(ignore)) socket.on("error", ignore);
}

function ignore(): void {}
