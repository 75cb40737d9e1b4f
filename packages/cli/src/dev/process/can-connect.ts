import { connect } from "node:net";

/** Whether a program accepts connections at an address. */
export function canConnect({
  host = "127.0.0.1",
  port,
}: {
  readonly host?: string;
  readonly port: number;
}): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once("connect", () => {
      // A port in the system's range for outgoing connections may be assigned to this very connection, which then connects to itself. It is
      // reset, because a normal close would keep the port in use for a minute.
      const isItself = socket.localPort === port;
      if (isItself) socket.resetAndDestroy();
      else socket.destroy();
      resolve(!isItself);
    });
    socket.once("error", () => {
      socket.destroy();
      resolve(false);
    });
  });
}
