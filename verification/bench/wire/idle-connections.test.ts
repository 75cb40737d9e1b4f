import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttp2Server } from "node:http2";
import { type AddressInfo, createServer, type Server } from "node:net";
import { test } from "node:test";
import { openIdleConnections } from "./idle-connections.ts";

async function listening(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

test("holds the requested number of connections, more than one batch, until they are closed", async () => {
  const server = createHttp2Server();
  let open = 0;
  const allClosed = new Promise<void>((resolve) => {
    server.on("session", (session) => {
      open++;
      session.on("close", () => {
        open--;
        if (open === 0) resolve();
      });
    });
  });
  const port = await listening(server);
  const connections = await openIdleConnections(port, 51);
  assert.equal(open, 51);
  connections.close();
  await allClosed;
  server.close();
  await once(server, "close");
});

for (const [what, message, refusal] of [
  ["waits for a response to the calls on each connection", Buffer.alloc(5), undefined],
  ["fails if a call gets no message", Buffer.alloc(0), /got no message for its calls/],
] as const) {
  test(what, async () => {
    let answered = 0;
    const server = createHttp2Server();
    server.on("stream", (stream) => {
      stream.on("wantTrailers", () => {
        answered++;
        stream.sendTrailers({ "grpc-status": "0" });
      });
      stream.resume();
      // Not before the PING is answered.
      setImmediate(() => {
        stream.respond({}, { waitForTrailers: true });
        stream.end(message);
      });
    });
    const port = await listening(server);
    const opening = openIdleConnections(port, 2, { each: 3, path: "/any", isEnded: true });
    if (refusal === undefined) {
      (await opening).close();
      assert.equal(answered, 6);
    } else {
      await assert.rejects(opening, refusal);
    }
    server.close();
    await once(server, "close");
  });
}

test("fails if the server closes a connection instead of responding", async () => {
  const server = createServer((socket) => socket.destroy());
  const port = await listening(server);
  await assert.rejects(openIdleConnections(port, 1), /an idle connection (was closed by the server|failed)/);
  server.close();
  await once(server, "close");
});
