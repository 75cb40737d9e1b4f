import { connect, createServer } from "node:net";
import { createFaultProxy, type Faults } from "@tercel/http2/testing";

const PIECE_BYTES = 65_536;

/** Measures the seconds of a bare TCP connection for `bytes` from client to server over such a link: the current limit of the machine. */
export async function transferRaw(bytes: number, faults: Faults): Promise<number> {
  const server = createServer({ noDelay: true });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server does not listen");
  const proxy = await createFaultProxy({ target: { host: "127.0.0.1", port: address.port }, toServer: faults });
  try {
    return await new Promise<number>((resolve, reject) => {
      let received = 0;
      let startedMs = 0;
      server.on("connection", (socket) => {
        socket.on("error", reject);
        socket.on("data", (chunk) => {
          received += chunk.length;
          if (received === bytes) resolve((performance.now() - startedMs) / 1000);
        });
      });
      const client = connect(proxy.address);
      client.on("error", reject);
      const piece = new Uint8Array(PIECE_BYTES);
      let sent = 0;
      const send = (): void => {
        while (sent < bytes) {
          const next = piece.subarray(0, bytes - sent);
          sent += next.length;
          if (!client.write(next)) return;
        }
      };
      client.on("drain", send);
      client.on("connect", () => {
        startedMs = performance.now();
        send();
      });
    });
  } finally {
    await proxy.close();
    server.close();
  }
}
