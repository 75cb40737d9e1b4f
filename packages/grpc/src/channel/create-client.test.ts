import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  Code,
  ConnectError,
  createClient as createConnectClient,
  createRouterTransport,
  type HandlerContext,
  type Transport,
} from "@connectrpc/connect";
import { createInMemoryTransport } from "@tercel/grpc/testing";
import { aborted, createOccasion } from "@tercel/test-support/async";
import { EchoService } from "../../test/gen/tercel/grpc/test/v1/echo_pb.ts";
import { openInMemory, overBothTransports } from "../../test/support/open-echo.ts";
import { createClient } from "./create-client.ts";

function transport(): Transport {
  return createInMemoryTransport({
    routes: (router) =>
      router.service(EchoService, {
        unary: (request) => ({ text: request.text }),
        async *serverStream(request, context) {
          context.responseHeader.set("x-head", "first");
          context.responseTrailer.set("x-trailer", "last");
          for (let at = 0; at < request.count; at++) yield { count: at };
          if (request.text !== "") throw new ConnectError(request.text, Code.Aborted);
        },
        async clientStream(requests) {
          let count = 0;
          for await (const _ of requests) count++;
          return { count };
        },
        async *bidi(requests) {
          for await (const request of requests) yield { text: request.text.toUpperCase() };
        },
      }),
  });
}

/** Requests that no one ends but the call. */
async function* openEnded() {
  yield {};
  await new Promise(() => {});
}

async function* texts(...words: string[]) {
  for (const text of words) yield { text };
}

/** Everything that a caller can see of a stream. */
async function seen(create: typeof createClient, request: { text?: string; count?: number }): Promise<string[]> {
  const log: string[] = [];
  const responses = create(EchoService, transport()).serverStream(request, {
    onHeader: (header) => log.push(`header ${header.get("x-head")}`),
    onTrailer: (trailer) => log.push(`trailer ${trailer.get("x-trailer")}`),
  });
  const messages = responses[Symbol.asyncIterator]();
  for (let asked = 0; asked < 5; asked++) {
    try {
      const { done, value } = await messages.next();
      log.push(done === true ? "done" : `message ${value.count}`);
    } catch (error) {
      log.push(ConnectError.from(error).message);
    }
  }
  return log;
}

describe("a client", () => {
  it("makes all four kinds of call", async () => {
    const client = createClient(EchoService, transport());
    assert.equal((await client.unary({ text: "a" })).text, "a");
    assert.equal((await client.clientStream(texts("a", "b"))).count, 2);
    const counts: number[] = [];
    for await (const { count } of client.serverStream({ count: 3 })) counts.push(count);
    assert.deepEqual(counts, [0, 1, 2]);
    const upper: string[] = [];
    for await (const { text } of client.bidi(texts("a", "b"))) upper.push(text);
    assert.deepEqual(upper, ["A", "B"]);
  });

  for (const [what, request] of [
    ["a stream", { count: 2 }],
    ["an empty stream", { count: 0 }],
    ["a stream that fails", { count: 2, text: "on purpose" }],
    ["a stream that fails before it begins", { count: 0, text: "on purpose" }],
  ] as const) {
    it(`shows of ${what} what Connect's client shows, in the same order`, async () => {
      assert.deepEqual(await seen(createClient, request), await seen(createConnectClient, request));
    });
  }

  for (const [what, options] of [
    ["", {}],
    [
      ", and of its trailer no one is told",
      { onTrailer: () => assert.fail("the call was left before its trailer came") },
    ],
  ] as const) {
    overBothTransports((open) => {
      it(`lets the handler go when a loop over its responses is left${what}`, async (t) => {
        for (const kind of ["serverStream", "bidi"] as const) {
          const ended = createOccasion<string>();
          async function* endless(_: unknown, { signal }: HandlerContext) {
            try {
              yield {};
              await aborted(signal);
              yield {};
            } finally {
              ended.happen(ConnectError.from(signal.reason).message);
            }
          }
          const { transport } = await open(t, { [kind]: endless });
          const client = createClient(EchoService, transport);
          const responses = kind === "bidi" ? client.bidi(openEnded(), options) : client.serverStream({}, options);
          for await (const _ of responses) break;
          assert.equal(await ended.happened, "[canceled] the call was cancelled");
          assert.deepEqual(await responses[Symbol.asyncIterator]().next(), { done: true, value: undefined });
        }
      });
    });
  }

  it("streams over Connect's own transports as well", async () => {
    const router = createRouterTransport((routes) =>
      routes.service(EchoService, {
        async *serverStream({ count }) {
          for (let at = 0; at < count; at++) yield { count: at };
        },
      }),
    );
    const counts: number[] = [];
    for await (const { count } of createClient(EchoService, router).serverStream({ count: 2 })) counts.push(count);
    assert.deepEqual(counts, [0, 1]);
  });

  it("lets the handler go when a stream is left before its response has begun", async (t) => {
    const began = createOccasion();
    const left = createOccasion();
    const ended = createOccasion();
    const { transport } = await openInMemory(t, {
      async *serverStream(_, { signal }) {
        began.happen();
        await left.happened;
        yield {};
        await aborted(signal);
        ended.happen();
      },
    });
    const responses = createClient(EchoService, transport).serverStream({})[Symbol.asyncIterator]();
    await began.happened;
    await responses.return?.();
    left.happen();
    await ended.happened;
    assert.deepEqual(await responses.next(), { done: true, value: undefined });
  });

  it("gives messages in order to whoever asks for several at once", async () => {
    const responses = createClient(EchoService, transport()).serverStream({ count: 3 });
    const messages = responses[Symbol.asyncIterator]();
    const results = await Promise.all([messages.next(), messages.next(), messages.next(), messages.next()]);
    assert.deepEqual(
      results.map(({ done, value }) => (done === true ? "done" : value.count)),
      [0, 1, 2, "done"],
    );
  });

  it("ends no process by a stream that failed and that no one reads", async () => {
    const failing: Transport = {
      unary: () => Promise.reject(new Error("unused")),
      stream: () => Promise.reject(new ConnectError("refused", Code.Unavailable)),
    };
    createClient(EchoService, failing).serverStream({});
    // An unhandled rejection would fail this test once its turn is over.
    await new Promise((resolve) => setImmediate(resolve));
  });
});
