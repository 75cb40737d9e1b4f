import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { settled } from "@tercel/test-support/async";
import { connect as connectHttp2 } from "../socket/connect.ts";
import { createHttp2Server } from "../socket/server.ts";
import { FakeClock } from "./fake-clock.ts";
import { createFaultProxy, type FaultProxy, type FaultProxyOptions } from "./fault-proxy.ts";
import { RecordedStream } from "./recorded-stream.ts";

/** One end of a connection through the proxy, and what has come to it. */
class End {
  readonly socket: Socket;
  readonly chunks: Buffer[] = [];
  readonly outcome: Promise<string>;
  private wake: () => void = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.chunks.push(chunk);
      this.wake();
    });
    socket.on("end", () => this.wake());
    this.outcome = new Promise((resolve) => {
      socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      socket.on("end", () => resolve("end"));
    });
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString("latin1");
  }

  async untilLength(bytes: number): Promise<void> {
    while (this.text.length < bytes) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }
}

interface Joined {
  proxy: FaultProxy;
  client: End;
  server: End;
}

/** A client and a server that are connected through a proxy. */
async function join(t: TestContext, options: Omit<FaultProxyOptions, "target">): Promise<Joined> {
  const listener = createServer({ allowHalfOpen: true });
  // Connections that the test does not look at may be reset as well.
  listener.on("connection", (socket) => socket.on("error", () => {}));
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  const proxy = await createFaultProxy({ target: { host: "127.0.0.1", port }, ...options });
  const accepted = once(listener, "connection");
  const client = new End(connect({ ...proxy.address, allowHalfOpen: true, noDelay: true }));
  const server = new End(((await accepted) as [Socket])[0]);
  t.after(async () => {
    client.socket.destroy();
    server.socket.destroy();
    await proxy.close();
    listener.close();
  });
  return { proxy, client, server };
}

async function untilTimers(clock: FakeClock, count: number): Promise<void> {
  while (clock.pendingTimers < count) await new Promise((resolve) => setImmediate(resolve));
}

const long = "0123456789".repeat(100_000);

test("passes everything on, both ways, and both ends", async (t) => {
  const { proxy, client, server } = await join(t, {});
  client.socket.end(long);
  server.socket.write("answer");
  assert.equal(await server.outcome, "end");
  assert.equal(server.text, long);
  await client.untilLength(6);
  server.socket.end(" and more");
  assert.equal(await client.outcome, "end");
  assert.equal(client.text, "answer and more");
  assert.equal(proxy.accepted, 1);
});

test("holds bytes back for the latency, one direction apart from the other", async (t) => {
  const clock = new FakeClock();
  const { client, server } = await join(t, { toServer: { latencyMs: 50 }, clock });
  client.socket.write("late");
  server.socket.write("at once");
  await client.untilLength(7);
  await untilTimers(clock, 1);
  clock.advance(49);
  assert.equal(clock.pendingTimers, 1);
  assert.equal(server.text, "");
  clock.advance(1);
  await server.untilLength(4);
});

test("keeps the order however the jitter falls", async (t) => {
  const clock = new FakeClock();
  const falls = [0.9, 0, 0.5, 0.1];
  let turn = 0;
  const random = (): number => falls[turn++ % falls.length] as number;
  const { client, server } = await join(t, { toServer: { jitterMs: 100, sliceBytes: 2 }, clock, random });
  client.socket.write("abcdefgh");
  await untilTimers(clock, 1);
  clock.advance(89);
  assert.equal(server.text, "");
  clock.advance(1);
  await server.untilLength(8);
  assert.equal(server.text, "abcdefgh");
});

test("lets no more bytes through than the line carries", async (t) => {
  const clock = new FakeClock();
  const { client, server } = await join(t, { toServer: { bytesPerSecond: 1000, sliceBytes: 100 }, clock });
  client.socket.write("x".repeat(300));
  for (const bytes of [100, 200, 300]) {
    await untilTimers(clock, 1);
    clock.advance(99);
    assert.equal(clock.pendingTimers, 1);
    clock.advance(1);
    await server.untilLength(bytes);
    assert.equal(server.text.length, bytes);
  }
});

test("writes in slices", async (t) => {
  const { client, server } = await join(t, { toServer: { sliceBytes: 3 } });
  client.socket.end("0123456789");
  assert.equal(await server.outcome, "end");
  assert.equal(server.text, "0123456789");
  assert.ok(server.chunks.length > 1, "everything came at once");
});

/** Before libuv 1.52, thus in Node 22, a socket that has just read takes the RST after that for an end. */
const [, uvMinor] = process.versions.uv.split(".").map(Number) as [number, number];
const resetBehindBytes = uvMinor < 52 ? "end" : "ECONNRESET";

for (const bytes of [0, 1, 7]) {
  test(`resets both sides after ${bytes} bytes`, async (t) => {
    const { client, server } = await join(t, { toServer: { after: { bytes, fault: "reset" } } });
    client.socket.write("0123456789");
    assert.equal(await server.outcome, bytes === 0 ? "ECONNRESET" : resetBehindBytes);
    assert.equal(await client.outcome, "ECONNRESET");
    assert.equal(server.text, "0123456789".slice(0, bytes));
  });
}

test("half-closes after the bytes, and goes on in the other direction", async (t) => {
  const { client, server } = await join(t, { toServer: { after: { bytes: 4, fault: "half-close" } } });
  client.socket.write("0123456789");
  assert.equal(await server.outcome, "end");
  assert.equal(server.text, "0123");
  server.socket.write("still here");
  await client.untilLength(10);
});

test("swallows what comes after the bytes, with no word to either side", async (t) => {
  const { proxy, client, server } = await join(t, { toServer: { after: { bytes: 4, fault: "black hole" } } });
  client.socket.write("0123456789");
  await server.untilLength(4);
  server.socket.write("still here");
  await client.untilLength(10);
  proxy.resetAll();
  assert.equal(await server.outcome, "ECONNRESET");
  assert.equal(server.text, "0123");
});

test("turns connections that exist into black holes, and takes new ones", async (t) => {
  const { proxy, client, server } = await join(t, {});
  client.socket.write("before");
  await server.untilLength(6);
  proxy.blackHoleAll();
  client.socket.write("after");
  const other = new End(connect(proxy.address));
  await once(other.socket, "connect");
  other.socket.destroy();
  proxy.resetAll();
  assert.equal(await server.outcome, "ECONNRESET");
  assert.equal(server.text, "before");
});

test("holds everything, on a connection that comes meanwhile too, and lets it go on afterwards", async (t) => {
  const { proxy, client, server } = await join(t, {});
  client.socket.write("before");
  await server.untilLength(6);
  proxy.hold();
  client.socket.end(" and after");
  const other = new End(connect(proxy.address));
  other.socket.end();
  // Bytes of the loopback are there by then.
  await once(other.socket, "connect");
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(server.text, "before");
  assert.equal(proxy.open, 2);
  proxy.release();
  assert.equal(await server.outcome, "end");
  assert.equal(server.text, "before and after");
});

test("resets a connection at the moment when it passes an end on", async (t) => {
  const { proxy, client, server } = await join(t, {});
  client.socket.write("before");
  await server.untilLength(6);
  proxy.hold();
  client.socket.end();
  // The end is there by then.
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  proxy.release();
  proxy.resetAll();
  assert.equal(await settled(() => proxy.open), 0);
});

test("resets a client whose server cannot be reached", async (t) => {
  const unused = createServer();
  unused.listen(0, "127.0.0.1");
  await once(unused, "listening");
  const { port } = unused.address() as AddressInfo;
  await new Promise((resolve) => unused.close(resolve));
  const proxy = await createFaultProxy({ target: { host: "127.0.0.1", port } });
  t.after(() => proxy.close());
  const client = new End(connect(proxy.address));
  assert.equal(await client.outcome, "ECONNRESET");
});

test("carries HTTP/2 byte by byte", async (t) => {
  const server = createHttp2Server({
    onStream: (stream, head) => {
      const recorded = new RecordedStream(head);
      recorded.stream = stream;
      recorded.during = (call) => {
        if (call !== "end") return;
        stream.sendHeaders([":status", "200"]);
        stream.sendData(Buffer.from(recorded.body), true);
      };
      stream.listener = recorded;
    },
  });
  await server.listen({ host: "127.0.0.1", port: 0 });
  const slow = { sliceBytes: 1 };
  const proxy = await createFaultProxy({
    target: server.address ?? { host: "", port: 0 },
    toServer: slow,
    toClient: slow,
  });
  t.after(async () => {
    await server.close(0);
    await proxy.close();
  });
  const connection = await connectHttp2(proxy.address, {});
  const recorded = new RecordedStream();
  const ended = new Promise<void>((resolve) => {
    recorded.during = (call) => {
      if (call === "end") resolve();
    };
  });
  const stream = connection.request([":method", "POST", ":scheme", "http", ":path", "/"], [], false, recorded);
  recorded.stream = stream;
  stream.sendData(Buffer.from("there and back"), true);
  await ended;
  assert.equal(recorded.body.toString(), "there and back");
  connection.drain();
});
