import { connect, type Socket } from "node:net";

/** Sends as fast as the server reads, and starts again when the connection ends. Resolves to the number of connections. */
export async function attack(port: number, bytes: () => Iterable<Buffer>, signal: AbortSignal): Promise<number> {
  let connections = 0;
  while (!signal.aborted) {
    connections++;
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {}).resume();
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    const stop = (): unknown => socket.destroy();
    signal.addEventListener("abort", stop);
    await Promise.race([send(socket, bytes()), closed]);
    if (!socket.destroyed && !signal.aborted) await closed;
    signal.removeEventListener("abort", stop);
    await closed;
  }
  return connections;
}

async function send(socket: Socket, bytes: Iterable<Buffer>): Promise<void> {
  let wake = (): void => {};
  socket.on("drain", () => wake()).on("close", () => wake());
  for (const chunk of bytes) {
    if (socket.destroyed) return;
    if (socket.write(chunk)) continue;
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
}
