import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code, ConnectError, createClient as createConnectClient, type Transport } from "@connectrpc/connect";
import { createInMemoryTransport } from "@tercel/grpc/testing";
import { EchoService } from "../../test/gen/tercel/grpc/test/v1/echo_pb.ts";
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
  log.push(`return ${typeof messages.return}`);
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

  it("gives messages in order to whoever asks for several at once", async () => {
    const responses = createClient(EchoService, transport()).serverStream({ count: 3 });
    const messages = responses[Symbol.asyncIterator]();
    const results = await Promise.all([messages.next(), messages.next(), messages.next(), messages.next()]);
    assert.deepEqual(
      results.map(({ done, value }) => (done === true ? "done" : value.count)),
      [0, 1, 2, "done"],
    );
  });

  it("ends no process by a stream that failed and that nobody reads", async () => {
    const failing: Transport = {
      unary: () => Promise.reject(new Error("unused")),
      stream: () => Promise.reject(new ConnectError("refused", Code.Unavailable)),
    };
    createClient(EchoService, failing).serverStream({});
    // An unhandled rejection would fail this test once its turn is over.
    await new Promise((resolve) => setImmediate(resolve));
  });
});
