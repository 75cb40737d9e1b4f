// A client's sockets read into one buffer, and whatever is kept of a chunk is a copy.
import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { EventEmitter, once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { connect, type Http2Error } from "../src/index.ts";
import { ask, local, withConnection, withServer } from "./echo-server.ts";
import { patterned } from "./example-fields.ts";

/** Calls `onChunk` with each chunk that a client's socket delivers during the test. */
function watchChunks(t: TestContext, onChunk: (chunk: Uint8Array) => void): void {
  const onSocket = (message: unknown): void => {
    const { socket } = message as { socket: Socket };
    socket.once("connect", () => socket.on("data", onChunk));
  };
  subscribe("net.client.socket", onSocket);
  t.after(() => unsubscribe("net.client.socket", onSocket));
}

test("reads responses of several connections into the same memory, and mixes nothing up", async (t) => {
  const memory = new Set<ArrayBufferLike>();
  watchChunks(t, (chunk) => memory.add(chunk.buffer));
  await withServer({}, local, async (address) => {
    await Promise.all(
      [1, 2, 3].map((n) =>
        withConnection(address, {}, async (connection) => {
          const bodies = [n, 100_000 + n, 1_000_000 + n].map(patterned);
          const responses = await Promise.all(bodies.map((body) => ask(connection, body)));
          responses.forEach((response, i) => {
            assert.ok(response.body.equals(bodies[i] as Buffer));
          });
        }),
      ),
    );
  });
  assert.equal(memory.size, 1, "a read made a buffer of its own");
});

test("keeps the beginning of a line that is not HTTP/2 while another connection reads", async (t) => {
  const chunks = new EventEmitter();
  watchChunks(t, (chunk) => chunks.emit("chunk", chunk.length));
  const accepted: Socket[] = [];
  const server = createServer((socket) => accepted.push(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const errors: (Http2Error | undefined)[] = [];
  const closed = new EventEmitter();
  const open = async (): Promise<Socket> => {
    const onClose = (error?: Http2Error): void => {
      errors.push(error);
      closed.emit("closed");
    };
    const arrives = once(server, "connection");
    await Promise.all([connect({ host: "127.0.0.1", port }, { onClose }), arrives]);
    return accepted.at(-1) as Socket;
  };
  const [first, second] = [await open(), await open()];
  for (const [socket, text] of [
    [first, "HTTP/1.1 400 "],
    [second, "SSH-2.0-x"],
    [first, "Bad Request\r\n"],
  ] as const) {
    const read = once(chunks, "chunk");
    socket.write(text);
    await read;
  }
  if (errors.length === 0) await once(closed, "closed");
  const [error] = errors;
  assert.ok(error !== undefined);
  assert.match(String((error.cause as Error).message), /HTTP\/1\.1 400 Bad Request/);
  for (const socket of accepted) socket.destroy();
});
