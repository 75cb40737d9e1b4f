import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** Forwards connections until `cut` is called, then destroys and refuses them until `fix`. */
export interface TcpProxy {
  readonly endpoint: string;
  cut(): Promise<void>;
  repair(): Promise<void>;
  close(): Promise<void>;
}

export async function startProxy(endpoint: string): Promise<TcpProxy> {
  const [host = "", port] = endpoint.split(":");
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(port), host);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.pipe(to);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address() as { port: number };

  async function cut(): Promise<void> {
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  }

  return {
    endpoint: `127.0.0.1:${address.port}`,
    cut,
    async repair() {
      server.listen(address.port, "127.0.0.1");
      await once(server, "listening");
    },
    close: cut,
  };
}
