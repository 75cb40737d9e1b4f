// What never waits comes by microtasks alone, and these go before timers and sockets.
// Long: it streams 50,000 messages for each way that a call can take.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttp2Server, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { type CallOptions, Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { type ChannelOptions, callInfo, createChannel } from "@tercel/grpc";
import { createHookedInterceptor } from "@tercel/grpc/hooks";
import { assertStatus, createStubServer } from "@tercel/grpc/testing";
import { createOccasion, turn } from "@tercel/test-support/async";
import { EchoService } from "./gen/tercel/grpc/test/v1/echo_pb.ts";
import { echoRoutes, overBothTransports } from "./support/open-echo.ts";
import { openRawClient } from "./support/raw-client.ts";

const passing: Interceptor = (next) => (request) => next(request);
const refusing: Interceptor = () => () => Promise.reject(new ConnectError("refused here", Code.Unavailable));
const seeing = createHookedInterceptor({ onResponse() {} });

/** Calls that take far more turns than a timer of a millisecond waits for. */
const maxCalls = 100_000;

interface FailingCalls {
  readonly channel?: ChannelOptions;
  readonly call?: CallOptions;
  readonly code?: Code;
}

const failingCalls: Record<string, FailingCalls> = {
  "no endpoint is up": {},
  "no endpoint is up, behind interceptors": { channel: { interceptors: [passing] } },
  "an interceptor refuses": { channel: { interceptors: [refusing] } },
  "the call was cancelled before": { call: { signal: AbortSignal.abort() }, code: Code.Canceled },
  "the metadata cannot be carried": { call: { headers: { "x-bin": "?" } }, code: Code.Internal },
};

describe("a caller that calls again at once while", () => {
  for (const [why, { channel: options = {}, call = {}, code = Code.Unavailable }] of Object.entries(failingCalls)) {
    for (const kind of ["unary", "serverStream"] as const) {
      it(`${why} leaves the event loop to others (${kind})`, async (t) => {
        const channel = createChannel("unix:/nonexistent/tercel.sock", options);
        t.after(() => channel.close());
        const client = createClient(EchoService, channel);
        const fail = () => (kind === "unary" ? client.unary({}, call) : first(client.serverStream({}, call)));
        await assertStatus(fail(), code);
        let fired = false;
        setTimeout(() => {
          fired = true;
        }, 0);
        let calls = 0;
        while (!fired && calls++ < maxCalls) await fail().catch(() => {});
        assert.ok(fired, `${calls} calls failed, and no timer had its turn`);
      });
    }
  }
});

async function first<T>(messages: AsyncIterable<T>): Promise<T | undefined> {
  for await (const message of messages) return message;
  return undefined;
}

/** Counts what happens between two turns of the event loop. */
function countPerTurn() {
  let now = 0;
  let most = 0;
  let next = setImmediate(onTurn);
  function onTurn(): void {
    now = 0;
    next = setImmediate(onTurn);
  }
  return {
    count() {
      most = Math.max(most, ++now);
    },
    get most() {
      return most;
    },
    stop: () => clearImmediate(next),
  };
}

const streamed = 50_000;
/** Twice the share: the count may begin again in the middle of one. */
const maxPerTurn = 2 * 1024;

describe("a generator that never waits", () => {
  for (const [through, interceptors] of [
    ["bare", []],
    ["behind an interceptor", [passing]],
    ["behind a hook", [seeing]],
  ] as const) {
    overBothTransports((open) => {
      it(`leaves the event loop to others as a server's stream, ${through}`, async (t) => {
        const perTurn = countPerTurn();
        t.after(() => perTurn.stop());
        const { client } = await open(
          t,
          {
            async *serverStream() {
              for (let at = 0; at < streamed; at++) {
                perTurn.count();
                yield {};
              }
            },
          },
          { server: { interceptors: [...interceptors] } },
        );
        let received = 0;
        for await (const _ of client.serverStream({})) received++;
        assert.equal(received, streamed);
        assert.ok(perTurn.most <= maxPerTurn, `${perTurn.most} messages in one turn`);
      });

      it(`leaves the event loop to others as a client's stream, ${through}`, async (t) => {
        const perTurn = countPerTurn();
        t.after(() => perTurn.stop());
        const { client } = await open(
          t,
          {
            async clientStream(requests) {
              let count = 0;
              for await (const _ of requests) count++;
              return { count };
            },
          },
          { channel: { interceptors: [...interceptors] } },
        );
        async function* requests() {
          for (let at = 0; at < streamed; at++) {
            perTurn.count();
            yield {};
          }
        }
        assert.equal((await client.clientStream(requests())).count, streamed);
        assert.ok(perTurn.most <= maxPerTurn, `${perTurn.most} messages in one turn`);
      });
    });
  }
});

describe("a reader of messages that have come together", () => {
  overBothTransports((open) => {
    it("leaves the event loop to others in a server's handler, and gets them all in order", async (t) => {
      const perTurn = countPerTurn();
      t.after(() => perTurn.stop());
      const sent = createOccasion();
      const { client } = await open(t, {
        async clientStream(requests) {
          await sent.happened;
          let count = 0;
          for await (const request of requests) {
            perTurn.count();
            assert.equal(request.count, count);
            count++;
          }
          return { count };
        },
      });
      async function* requests() {
        for (let count = 0; count < streamed; count++) yield { count };
        sent.happen();
      }
      assert.equal((await client.clientStream(requests())).count, streamed);
      assert.ok(perTurn.most <= maxPerTurn, `${perTurn.most} messages in one turn`);
    });

    it("leaves the event loop to others in a client, and gets them all in order", async (t) => {
      const perTurn = countPerTurn();
      t.after(() => perTurn.stop());
      const sent = createOccasion();
      const { client } = await open(t, {
        async *serverStream() {
          for (let count = 0; count < streamed; count++) yield { count };
          sent.happen();
        },
      });
      const responses = client.serverStream({})[Symbol.asyncIterator]();
      let count = 0;
      assert.equal((await responses.next()).value?.count, count++);
      await sent.happened;
      await turn();
      for (let next = await responses.next(); next.done !== true; next = await responses.next()) {
        perTurn.count();
        assert.equal(next.value.count, count);
        count++;
      }
      assert.equal(count, streamed);
      assert.ok(perTurn.most <= maxPerTurn, `${perTurn.most} messages in one turn`);
    });
  });
});

describe("DATA frames full of empty messages", () => {
  /** As many as count for the frames of a turn, and those of the frame in which they are reached. */
  const maxReceivedPerTurn = 8 * 512 + Math.ceil(16_384 / 5);

  it("leave the event loop to others while a server receives them, however many chunks one poll delivers", async (t) => {
    const perTurn = countPerTurn();
    t.after(() => perTurn.stop());
    let received = 0;
    const routes = echoRoutes({
      async clientStream(requests, context) {
        context.values.get(callInfo)?.watchMessages({
          onSent() {},
          onReceived() {
            received++;
            perTurn.count();
          },
        });
        for await (const _ of requests);
        return {};
      },
    });
    const stub = await createStubServer(routes);
    t.after(() => stub.close({ deadlineMs: 0 }));
    const send = openRawClient(t, stub.target);
    const count = 400_000;
    const path = "/tercel.grpc.test.v1.EchoService/ClientStream";
    const response = await send({ ":path": path }, new Uint8Array(5 * count));
    assert.equal(response.grpcStatus, "0");
    assert.equal(received, count);
    assert.ok(perTurn.most <= maxReceivedPerTurn, `${perTurn.most} messages in one turn`);
  });

  it("leave the event loop to others while a client receives them", async (t) => {
    const perTurn = countPerTurn();
    t.after(() => perTurn.stop());
    const { url, count } = await openFlooding(t);
    const observing = createHookedInterceptor({
      onAttempt: () => ({
        onReceived() {
          perTurn.count();
        },
      }),
    });
    const channel = createChannel(url, { interceptors: [observing] });
    t.after(() => channel.close());
    let received = 0;
    for await (const _ of createClient(EchoService, channel).serverStream({})) received++;
    assert.equal(received, count);
    assert.ok(perTurn.most <= maxReceivedPerTurn, `${perTurn.most} messages in one turn`);
  });
});

/** A server that answers each call with empty messages, as many as fit into its frames. */
async function openFlooding(t: TestContext): Promise<{ url: string; count: number }> {
  const count = 100_000;
  const server = createHttp2Server();
  server.on("stream", (stream: ServerHttp2Stream) => {
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(new Uint8Array(5 * count));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return { url: `127.0.0.1:${(server.address() as AddressInfo).port}`, count };
}
