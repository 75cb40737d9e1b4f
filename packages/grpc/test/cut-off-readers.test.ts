// A call that is cut off stops its readers: what has come and was not taken is dropped.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { gzipSync } from "node:zlib";
import { create, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { callInfo, createChannel } from "@tercel/grpc";
import { createHookedInterceptor } from "@tercel/grpc/hooks";
import { assertStatus, createFakeClock, createStubServer, type FakeClock } from "@tercel/grpc/testing";
import { aborted, collect, createOccasion, quiet } from "@tercel/test-support/async";
import { EchoRequestSchema, EchoService } from "./gen/tercel/grpc/test/v1/echo_pb.ts";
import { type EchoHandlers, echoRoutes, openInMemory, overBothTransports } from "./support/open-echo.ts";
import { framed, grpcHeaders, openRawClient } from "./support/raw-client.ts";

const messages = 200;

/** Takes one request, waits for the call's end, and then takes what it still gets. `allCame`: the server has received all. */
function takingHandler() {
  const allCame = createOccasion();
  const outcome = createOccasion<{ taken: number; error: unknown }>();
  const handlers: EchoHandlers = {
    async clientStream(requests, context) {
      let taken = 0;
      let received = 0;
      const onReceived = () => {
        if (++received === messages) allCame.happen();
      };
      received = context.values.get(callInfo)?.watchMessages({ onSent() {}, onReceived }) ?? 0;
      try {
        for await (const _ of requests) {
          taken++;
          await aborted(context.signal);
        }
        outcome.happen({ taken, error: undefined });
      } catch (error) {
        outcome.happen({ taken, error });
      }
      return {};
    },
  };
  return { allCame: allCame.happened, outcome: outcome.happened, handlers };
}

/** All requests at once; then the stream ends, or stays open. */
async function* requests(ends: boolean) {
  for (let count = 0; count < messages; count++) yield { count };
  if (!ends) await new Promise(() => {});
}

async function assertCut(outcome: Promise<{ taken: number; error: unknown }>, code: Code): Promise<void> {
  const { taken, error } = await outcome;
  assert.equal(taken, 1);
  assert.ok(error instanceof ConnectError, String(error));
  assert.equal(error.code, code);
}

describe("a handler that reads requests", () => {
  overBothTransports((open) => {
    for (const ends of [false, true]) {
      const when = ends ? "after the last request" : "between requests";
      it(`gets no more of them once the client has cancelled ${when}`, async (t) => {
        const { allCame, outcome, handlers } = takingHandler();
        const { client } = await open(t, handlers);
        const controller = new AbortController();
        const call = client.clientStream(requests(ends), { signal: controller.signal });
        call.catch(() => {});
        await allCame;
        controller.abort();
        await assertStatus(call, Code.Canceled);
        await assertCut(outcome, Code.Canceled);
      });
    }

    it("gets no more of them once the deadline has passed", async (t) => {
      const clock = createFakeClock();
      const { allCame, outcome, handlers } = takingHandler();
      const { client } = await open(t, handlers, { server: { clock } });
      const call = client.clientStream(requests(true), { timeoutMs: 60_000 });
      call.catch(() => {});
      await allCame;
      await clock.advance(60_010);
      await assertStatus(call, Code.DeadlineExceeded);
      await assertCut(outcome, Code.DeadlineExceeded);
    });
  });

  it("gets no more of them once the connection is lost", async (t) => {
    const { allCame, outcome, handlers } = takingHandler();
    const stub = await createStubServer(echoRoutes(handlers));
    t.after(() => stub.close({ deadlineMs: 0 }));
    const session = connect(`http://${stub.target}`).on("error", () => {});
    t.after(() => session.destroy());
    const path = "/tercel.grpc.test.v1.EchoService/ClientStream";
    const stream = session.request({ ...grpcHeaders, ":path": path }, { endStream: false }).on("error", () => {});
    stream.write(new Uint8Array(5 * messages));
    await allCame;
    session.destroy();
    await assertCut(outcome, Code.Canceled);
  });

  it("gets all that came before the end of a request that nothing cuts off", async (t) => {
    const { client } = await openInMemory(t, {
      async clientStream(all) {
        await quiet();
        return { count: (await collect(all)).length };
      },
    });
    assert.equal((await client.clientStream(requests(true))).count, messages);
  });

  it("waits no longer for a message that is being inflated", async (t) => {
    const inflating = createOccasion();
    const { resolve: finish, promise: inflated } = Promise.withResolvers<Uint8Array>();
    const outcome = createOccasion<unknown>();
    const stub = await createStubServer(
      echoRoutes({
        async clientStream(all) {
          await collect(all).catch(outcome.happen);
          return {};
        },
      }),
      {
        serverOptions: {
          compressions: [
            {
              name: "gzip",
              compress: (bytes) => bytes,
              decompress() {
                inflating.happen();
                return inflated;
              },
            },
          ],
        },
      },
    );
    t.after(() => stub.close({ deadlineMs: 0 }));
    const send = openRawClient(t, stub.target);
    const payload = gzipSync(toBinary(EchoRequestSchema, create(EchoRequestSchema, { text: "x" })));
    const path = "/tercel.grpc.test.v1.EchoService/ClientStream";
    const headers = { ":path": path, "grpc-encoding": "gzip", "grpc-timeout": "50m" };
    const response = send(headers, framed(payload, 1), { leaveOpen: true });
    await inflating.happened;
    assert.equal((await response).grpcStatus, String(Code.DeadlineExceeded));
    const error = await outcome.happened;
    assert.ok(error instanceof ConnectError);
    assert.equal(error.code, Code.DeadlineExceeded);
    finish(new Uint8Array(0));
  });
});

type Open = typeof openInMemory;

/** A server that sends its responses at once and then ends as the test says. `allCame`, `ended`: what the client has seen of its call. */
async function openSending(t: TestContext, open: Open, end: () => Promise<void> | void, clock?: FakeClock) {
  const allCame = createOccasion();
  const ended = createOccasion();
  let received = 0;
  const watching = createHookedInterceptor({
    onAttempt: () => ({
      onReceived() {
        if (++received === messages) allCame.happen();
      },
      onEnd: () => ended.happen(),
    }),
  });
  const handlers: EchoHandlers = {
    async *serverStream() {
      for (let count = 0; count < messages; count++) yield { count };
      await end();
    },
  };
  const channel = { interceptors: [watching], ...(clock === undefined ? {} : { clock }) };
  const { client } = await open(t, handlers, { channel });
  return { client, allCame: allCame.happened, ended: ended.happened };
}

const never = () => new Promise<void>(() => {});

describe("a client that reads responses", () => {
  overBothTransports((open) => {
    it("gets no more of them once it has cancelled", async (t) => {
      const { client, allCame } = await openSending(t, open, never);
      const controller = new AbortController();
      const responses = client.serverStream({}, { signal: controller.signal })[Symbol.asyncIterator]();
      await responses.next();
      await allCame;
      controller.abort();
      await assertStatus(responses.next(), Code.Canceled);
      assert.equal((await responses.next()).done, true);
    });

    it("gets no more of them once the deadline has passed", async (t) => {
      const clock = createFakeClock();
      const { client, allCame } = await openSending(t, open, never, clock);
      const responses = client.serverStream({}, { timeoutMs: 60_000 })[Symbol.asyncIterator]();
      await responses.next();
      await allCame;
      await clock.advance(60_010);
      await assertStatus(responses.next(), Code.DeadlineExceeded);
    });

    it("gets all of them and then the end after a status of OK, whatever is cancelled then", async (t) => {
      const { client, ended } = await openSending(t, open, () => {});
      const controller = new AbortController();
      const responses = client.serverStream({}, { signal: controller.signal })[Symbol.asyncIterator]();
      await responses.next();
      await ended;
      controller.abort();
      for (let count = 1; count < messages; count++) assert.equal((await responses.next()).value?.count, count);
      assert.equal((await responses.next()).done, true);
    });

    it("gets all of them and then the error when the server ended the call with one", async (t) => {
      const outOfRange = () => Promise.reject(new ConnectError("no more", Code.OutOfRange));
      const { client, ended } = await openSending(t, open, outOfRange);
      const responses = client.serverStream({})[Symbol.asyncIterator]();
      await responses.next();
      await ended;
      for (let count = 1; count < messages; count++) assert.equal((await responses.next()).value?.count, count);
      await assertStatus(responses.next(), Code.OutOfRange);
    });
  });

  it("gets no more of them once the connection is lost", async (t) => {
    const server = createServer();
    server.on("stream", (stream: ServerHttp2Stream) => {
      stream.on("error", () => {});
      stream.respond({ ":status": 200, "content-type": "application/grpc" });
      stream.write(new Uint8Array(5 * messages));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    t.after(() => server.close());
    const open: ServerHttp2Session[] = [];
    server.on("session", (session) => open.push(session));
    const allCame = createOccasion();
    let received = 0;
    const onReceived = () => {
      if (++received === messages) allCame.happen();
    };
    const channel = createChannel(`127.0.0.1:${(server.address() as AddressInfo).port}`, {
      interceptors: [createHookedInterceptor({ onAttempt: () => ({ onReceived }) })],
    });
    t.after(() => channel.close());
    const responses = createClient(EchoService, channel).serverStream({})[Symbol.asyncIterator]();
    await responses.next();
    await allCame.happened;
    for (const session of open) session.destroy();
    server.close();
    const ended = once(server, "close");
    await ended;
    await quiet();
    await assertStatus(responses.next(), Code.Unavailable);
  });
});
