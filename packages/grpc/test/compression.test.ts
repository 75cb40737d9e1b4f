import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import { Code } from "@connectrpc/connect";
import { type Compression, compressMessages, gzipCompression } from "@tercel/grpc";
import { assertStatus } from "@tercel/grpc/testing";
import { collect, quiet, streamOf } from "@tercel/test-support/async";
import { EchoService } from "./gen/tercel/grpc/test/v1/echo_pb.ts";
import { type EchoHandlers, openInMemory, overBothTransports } from "./support/open-echo.ts";

/** gzip that counts, so that a test knows which side did what. */
function countingGzip() {
  const counts = { compressed: 0, decompressed: 0 };
  const compression: Compression = {
    name: "gzip",
    compress(bytes) {
      counts.compressed++;
      return gzipCompression.compress(bytes);
    },
    decompress(bytes, maxBytes) {
      counts.decompressed++;
      return gzipCompression.decompress(bytes, maxBytes);
    },
  };
  return { counts, compression };
}

const echo: EchoHandlers = {
  unary: (request) => ({ payload: request.payload }),
  async *bidi(requests) {
    for await (const request of requests) yield { payload: request.payload };
  },
  async clientStream(requests) {
    let bytes = 0;
    for await (const request of requests) bytes += request.payload.length;
    return { count: bytes };
  },
};

describe("compression", () => {
  overBothTransports((open) => {
    it("goes both ways, small messages at once and large ones by the thread pool", async (t) => {
      const server = countingGzip();
      const client = countingGzip();
      const { client: caller } = await open(t, echo, {
        server: { compressions: [server.compression], compressMinBytes: 1024 },
        channel: { sendCompression: client.compression, acceptCompressions: [client.compression] },
      });
      for (const size of [2000, 200_000]) {
        const payload = new Uint8Array(size).fill(65);
        assert.deepEqual((await caller.unary({ payload })).payload, payload);
      }
      assert.deepEqual(server.counts, { compressed: 2, decompressed: 2 });
      assert.deepEqual(client.counts, { compressed: 2, decompressed: 2 });
    });

    it("compresses responses only if the server's options or a handler say so", async (t) => {
      const payload = new Uint8Array(100_000).fill(65);
      for (const [options, asks, expected] of [
        [{}, undefined, 0],
        [{}, true, 1],
        [{ compressMinBytes: 1024 }, undefined, 1],
        [{ compressMinBytes: 1024 }, false, 0],
      ] as const) {
        const { counts, compression } = countingGzip();
        const unary: EchoHandlers["unary"] = (request, { values }) => {
          values.set(compressMessages, asks);
          return { payload: request.payload };
        };
        const { client } = await open(t, { unary }, { server: { compressions: [compression], ...options } });
        assert.deepEqual((await client.unary({ payload })).payload, payload);
        assert.equal(counts.compressed, expected, JSON.stringify([options, asks]));
      }
    });

    it("keeps the order of a stream in which large and small, compressed and plain messages alternate", async (t) => {
      const { client } = await open(t, echo, {
        server: { compressMinBytes: 1024 },
        channel: { sendCompression: gzipCompression },
      });
      const payloads = [300_000, 10, 2000, 0, 100_000, 5, 40_000].map((size) => new Uint8Array(size).fill(size % 251));
      const got = await collect(client.bidi(streamOf(...payloads.map((payload) => ({ payload })))));
      assert.deepEqual(
        got.map((response) => response.payload.length),
        payloads.map((payload) => payload.length),
      );
    });

    it("begins at the least size, not one byte below, on either side", async (t) => {
      const server = countingGzip();
      const client = countingGzip();
      const { client: caller } = await open(t, echo, {
        server: { compressions: [server.compression], compressMinBytes: 102 },
        channel: { sendCompression: client.compression, compressMinBytes: 102 },
      });
      // Two bytes of tag and length go before the payload.
      await caller.unary({ payload: new Uint8Array(99) });
      assert.deepEqual([server.counts.compressed, client.counts.compressed], [0, 0]);
      await caller.unary({ payload: new Uint8Array(100) });
      assert.deepEqual([server.counts.compressed, client.counts.compressed], [1, 1]);
    });

    it("is left out for a message that it would make larger", async (t) => {
      const { client } = await open(t, echo, {
        server: { maxReceiveMessageBytes: 50_003, compressMinBytes: 1024 },
        channel: { sendCompression: gzipCompression, maxReceiveMessageBytes: 50_003 },
      });
      // Random bytes grow by some twenty when they are deflated, which the limits have no room for.
      assert.equal((await client.unary({ payload: randomBytes(49_999) })).payload.length, 49_999);
    });

    it("is not used by a server towards a client that accepts none", async (t) => {
      const server = countingGzip();
      const { client } = await open(t, echo, {
        server: { compressions: [server.compression], compressMinBytes: 1024 },
        channel: { acceptCompressions: [] },
      });
      const payload = new Uint8Array(5000);
      assert.equal((await client.unary({ payload })).payload.length, 5000);
      assert.equal(server.counts.compressed, 0);
    });

    it("that the server does not know is Unimplemented and names what it knows", async (t) => {
      const unknown: Compression = { ...gzipCompression, name: "snappy" };
      const { client } = await open(t, echo, { channel: { sendCompression: unknown, compressMinBytes: 0 } });
      const error = await assertStatus(client.unary({}), Code.Unimplemented, /"snappy".*identity,gzip/);
      assert.equal(error.code, Code.Unimplemented);
    });

    it("cannot be used to go over the limit for messages, on either side", async (t) => {
      const payload = new Uint8Array(1_000_000);
      const { client } = await open(t, echo, {
        server: { maxReceiveMessageBytes: 500_000 },
        channel: { sendCompression: gzipCompression },
      });
      await assertStatus(client.unary({ payload }), Code.ResourceExhausted, /500000/);
      await assertStatus(client.clientStream(streamOf({ payload })), Code.ResourceExhausted, /500000/);
      const { client: other } = await open(
        t,
        {
          unary: () => ({ payload }),
          async *serverStream() {
            yield { payload };
          },
        },
        { channel: { maxReceiveMessageBytes: 500_000 } },
      );
      await assertStatus(other.unary({}), Code.ResourceExhausted, /500000/);
      await assertStatus(other.serverStream({}), Code.ResourceExhausted, /500000/);
    });

    it("that turns out to be damaged is Internal", async (t) => {
      const damaged: Compression = { ...gzipCompression, compress: (bytes) => bytes.subarray(1) };
      const { client } = await open(t, echo, { channel: { sendCompression: damaged, compressMinBytes: 0 } });
      await assertStatus(client.unary({ payload: randomBytes(100) }), Code.Internal, /gzip/);
      await assertStatus(client.clientStream(streamOf({ payload: randomBytes(100) })), Code.Internal, /gzip/);
    });
  });

  it("is undone only when a message is taken: what waits, waits small", async (t) => {
    const server = countingGzip();
    const { client } = await openInMemory(
      t,
      { clientStream: () => new Promise(() => {}) },
      { server: { compressions: [server.compression] }, channel: { sendCompression: gzipCompression } },
    );
    const controller = new AbortController();
    const payload = new Uint8Array(1_000_000);
    const call = client.clientStream(streamOf(...Array.from({ length: 50 }, () => ({ payload }))), {
      signal: controller.signal,
    });
    const failing = assertStatus(call, Code.Canceled);
    await quiet();
    assert.equal(server.counts.decompressed, 0);
    controller.abort();
    await failing;
  });

  it("is undone only when a response is taken", async (t) => {
    const client = countingGzip();
    const { transport } = await openInMemory(
      t,
      {
        async *serverStream() {
          for (let at = 0; at < 20; at++) yield { payload: new Uint8Array(100_000) };
        },
      },
      { server: { compressMinBytes: 1024 }, channel: { acceptCompressions: [client.compression] } },
    );
    const { serverStream } = EchoService.method;
    const response = await transport.stream(serverStream, undefined, undefined, undefined, streamOf({}));
    await quiet();
    assert.equal(client.counts.decompressed, 0);
    assert.equal((await collect(response.message)).length, 20);
    assert.equal(client.counts.decompressed, 20);
  });
});
