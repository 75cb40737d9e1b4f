// What a peer sends waits until the application takes it: it must not take much more memory than it did on the wire.
import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { describe, it, type TestContext } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createServer } from "@tercel/grpc";
import { createOccasion, turn } from "@tercel/test-support/async";
import { type EchoHandlers, echoRoutes } from "./support/open-echo.ts";
import { grpcHeaders } from "./support/raw-client.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Field 3 of the request, a varint. */
const countTag = 3 << 3;
const million = 1_000_000;
const mebibyte = 1_048_576;
/** As large as a stream's window grows by itself. */
const windows = { windows: { streamBytes: 8 * mebibyte, connectionBytes: 16 * mebibyte } };

/** Bytes of the heap and of buffers that are still alive once no one needs them. */
async function heldBytes(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    collectGarbage();
    await turn();
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Opens a call of the method that takes a stream of requests, with a client of which we know the memory. */
async function openRequests(
  test: TestContext,
  handlers: EchoHandlers,
): Promise<[ClientHttp2Session, ClientHttp2Stream]> {
  const server = createServer({ routes: echoRoutes(handlers), limits: windows });
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  test.after(() => server.close({ deadlineMs: 0 }));
  const session = connect(`http://127.0.0.1:${port}`);
  test.after(() => session.destroy());
  await once(session, "connect");
  const path = "/tercel.grpc.test.v1.EchoService/ClientStream";
  const stream = session.request({ ...grpcHeaders, ":path": path }, { endStream: false });
  // When a test fails, the call is still open.
  stream.on("error", () => {});
  return [session, stream];
}

/** The server has read all that was written before. */
function seenByServer(session: ClientHttp2Session): Promise<void> {
  return new Promise((resolve, reject) => {
    session.ping((error) => (error === null ? resolve() : reject(error)));
  });
}

function written(stream: ClientHttp2Stream, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(bytes, (error) => (error == null ? resolve() : reject(error)));
  });
}

/** Messages that have nothing but their number. */
function numbered(count: number): Buffer {
  const bytes = Buffer.alloc(count * 10);
  let at = 0;
  for (let number = 0; number < count; number++) {
    const lengthAt = at + 4;
    at += 5;
    bytes[at++] = countTag;
    let rest = number;
    for (; rest >= 128; rest >>>= 7) bytes[at++] = (rest & 127) | 128;
    bytes[at++] = rest;
    bytes[lengthAt] = at - lengthAt - 1;
  }
  return bytes.subarray(0, at);
}

describe("a million small messages", () => {
  it("that no one reads take less memory than they did on the wire", async (t) => {
    const begin = createOccasion();
    const answered = createOccasion<number>();
    const [session, stream] = await openRequests(t, {
      async clientStream(requests) {
        await begin.happened;
        let count = 0;
        for await (const _request of requests) count++;
        answered.happen(count);
        return {};
      },
    });
    await seenByServer(session);
    const messages = Buffer.alloc(5 * million);
    const before = await heldBytes();
    await written(stream, messages);
    await seenByServer(session);
    const held = (await heldBytes()) - before;
    assert.ok(held < messages.length, `${held} bytes are held`);
    stream.end();
    begin.happen();
    assert.equal(await answered.happened, million);
  });

  it("that are read slowly all come, in order, and leave their memory as they go", async (t) => {
    const answered = createOccasion<number>();
    let most = 0;
    const before = await heldBytes();
    const messages = numbered(million);
    const [, stream] = await openRequests(t, {
      async clientStream(requests) {
        let count = 0;
        try {
          for await (const request of requests) {
            if (request.count !== count) break;
            count++;
            if (count % 1000 === 0) await turn();
            if (count % 200_000 === 0) most = Math.max(most, (await heldBytes()) - before);
          }
        } finally {
          answered.happen(count);
        }
        return {};
      },
    });
    stream.end(messages);
    assert.equal(await answered.happened, million);
    // Those written, those in the window, and what the client keeps of its own.
    assert.ok(most < 4 * messages.length, `${most} bytes were held`);
  });
});
