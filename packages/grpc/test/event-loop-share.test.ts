// What never waits comes by microtasks alone, and these go before timers and sockets.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type CallOptions, Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { type ChannelOptions, createChannel, createHookedInterceptor } from "@tercel/grpc";
import { assertStatus } from "@tercel/grpc/testing";
import { EchoService } from "./gen/tercel/grpc/test/v1/echo_pb.ts";
import { overBothTransports } from "./support/open-echo.ts";

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
/** Twice the share: the count may begin anew in the middle of one. */
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
