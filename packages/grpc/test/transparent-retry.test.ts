// gRFC A6: what the server has certainly not seen is sent once more, whatever the method does.
import assert from "node:assert/strict";
import { constants, createServer, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import { describe, it, type TestContext } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { Code, createClient } from "@connectrpc/connect";
import { type ChannelOptions, createChannel, createServer as createGrpcServer, type Server } from "@tercel/grpc";
import { assertStatus } from "@tercel/grpc/testing";
import { streamOf } from "@tercel/test-support/async";
import { EchoResponseSchema, EchoService } from "./gen/tercel/grpc/test/v1/echo_pb.ts";
import { createAttemptRecorder } from "./support/attempt-recorder.ts";
import { echoRoutes } from "./support/open-echo.ts";
import { framed } from "./support/raw-client.ts";

const message = framed(toBinary(EchoResponseSchema, create(EchoResponseSchema, { text: "hello" })));

/** A server that refuses the first requests with the error code, and answers the others. */
async function openRefusing(test: TestContext, refusals: number, code: number, options: ChannelOptions = {}) {
  let seen = 0;
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer();
  server.on("session", (session) => sessions.add(session));
  server.on("stream", (stream: ServerHttp2Stream) => {
    stream.on("error", () => {});
    stream.resume();
    if (seen++ < refusals) {
      stream.close(code);
      return;
    }
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(message);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const channel = createChannel(`127.0.0.1:${(server.address() as { port: number }).port}`, options);
  test.after(async () => {
    await channel.close();
    for (const session of sessions) session.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return { client: createClient(EchoService, channel), seen: () => seen };
}

describe("a unary call", () => {
  it("is sent once more when the server refused its stream", async (test) => {
    const { client, seen } = await openRefusing(test, 1, constants.NGHTTP2_REFUSED_STREAM);
    assert.equal((await client.unary({})).text, "hello");
    assert.equal(seen(), 2);
  });

  it("is two attempts to those who observe them, the second one transparent", async (test) => {
    const { attempts, interceptor } = createAttemptRecorder();
    const { client } = await openRefusing(test, 1, constants.NGHTTP2_REFUSED_STREAM, { interceptors: [interceptor] });
    await client.unary({});
    assert.deepEqual(attempts, [
      { begun: "Unary 0", told: ["waited", "sent 0", "Unavailable"] },
      { begun: "Unary 0 transparent", told: ["picked", "sent 0", "received 7", "OK"] },
    ]);
  });

  it("fails with Unavailable when it is refused a second time", async (test) => {
    const { client, seen } = await openRefusing(test, 2, constants.NGHTTP2_REFUSED_STREAM);
    await assertStatus(client.unary({}), Code.Unavailable);
    assert.equal(seen(), 2);
  });

  it("does not count the refusal among the attempts of its retry policy", async (test) => {
    const retryPolicy = {
      maxAttempts: 2,
      initialBackoff: "0.001s",
      maxBackoff: "0.001s",
      backoffMultiplier: 1,
      retryableStatusCodes: ["UNAVAILABLE"],
    };
    const serviceConfig = { methodConfig: [{ name: [{}], retryPolicy }] };
    const { client, seen } = await openRefusing(test, 2, constants.NGHTTP2_REFUSED_STREAM, { serviceConfig });
    assert.equal((await client.unary({})).text, "hello");
    assert.equal(seen(), 3);
  });

  it("is not repeated when the server may have acted on it", async (test) => {
    const { client, seen } = await openRefusing(test, 1, constants.NGHTTP2_INTERNAL_ERROR);
    await assertStatus(client.unary({}), Code.Internal);
    assert.equal(seen(), 1);
  });
});

describe("a streaming call", () => {
  it("is sent once more with all its requests when the server refused its stream", async (test) => {
    const { client, seen } = await openRefusing(test, 1, constants.NGHTTP2_REFUSED_STREAM);
    assert.equal((await client.clientStream(streamOf({ text: "a" }, { text: "b" }))).text, "hello");
    assert.equal(seen(), 2);
  });

  it("is not repeated when what it has sent is over the buffer", async (test) => {
    const options = { retryBufferBytesPerCall: 15 };
    const { client, seen } = await openRefusing(test, 1, constants.NGHTTP2_REFUSED_STREAM, options);
    await assertStatus(client.clientStream(streamOf({ text: "a" }, { text: "b" })), Code.Unavailable);
    assert.equal(seen(), 1);
  });
});

describe("a server that is replaced again and again under load", () => {
  it("loses no call and serves none twice", async () => {
    const served = new Map<string, number>();
    const routes = echoRoutes({
      unary({ text }) {
        served.set(text, (served.get(text) ?? 0) + 1);
        return { text };
      },
    });
    const start = async (port: number): Promise<Server> => {
      const server = createGrpcServer({ routes });
      await server.listen({ port });
      return server;
    };
    let server = await start(0);
    const port = server.address?.port ?? 0;
    const channel = createChannel(`127.0.0.1:${port}`, { waitForReady: true, defaultTimeoutMs: 20_000 });
    const client = createClient(EchoService, channel);

    let restarts = 0;
    let calls = 0;
    const caller = async (name: number): Promise<void> => {
      for (let at = 0; restarts < 5 || at < 100; at++) {
        const text = `${name}/${at}`;
        assert.equal((await client.unary({ text })).text, text);
        calls++;
      }
    };
    const callers = Promise.all(Array.from({ length: 20 }, (_, name) => caller(name)));
    while (restarts < 5) {
      // Only once the calls reach the new server is it replaced.
      const before = served.size;
      while (served.size < before + 500) await new Promise((resolve) => setImmediate(resolve));
      const draining = server.close();
      server = await start(port);
      await draining;
      restarts++;
    }
    await callers;
    await channel.close();
    await server.close();
    assert.equal(served.size, calls);
    assert.deepEqual(
      [...served].filter(([, times]) => times !== 1),
      [],
    );
  });
});
