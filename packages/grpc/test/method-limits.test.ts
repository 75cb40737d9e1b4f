import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code } from "@connectrpc/connect";
import { createServer, type MethodLimits } from "@tercel/grpc";
import { assertStatus } from "@tercel/grpc/testing";
import { collect, streamOf } from "@tercel/test-support/async";
import { EchoService } from "./gen/tercel/grpc/test/v1/echo_pb.ts";
import { type EchoHandlers, echoRoutes, overBothTransports } from "./support/open-echo.ts";

const echo: EchoHandlers = {
  unary: (request) => ({ payload: request.payload }),
  async *bidi(requests) {
    for await (const request of requests) yield { payload: request.payload };
  },
  async clientStream(requests) {
    for await (const request of requests) return { payload: request.payload };
    return {};
  },
};

/** A message of that many bytes: tag, length, payload. */
const messageOf = (bytes: number) => ({ payload: new Uint8Array(bytes - (bytes < 130 ? 2 : 3)) });

const service = "tercel.grpc.test.v1.EchoService";

describe("limits of methods", () => {
  overBothTransports((open) => {
    it("hold at their edge for requests, by method before service before server", async (t) => {
      const methodLimits: MethodLimits[] = [
        { of: service, maxReceiveMessageBytes: 300 },
        { of: `${service}/Unary`, maxReceiveMessageBytes: 500 },
        { of: EchoService.method.clientStream, maxSendMessageBytes: 100 },
      ];
      const { client } = await open(t, echo, { server: { maxReceiveMessageBytes: 1000, methodLimits } });
      assert.ok(await client.unary(messageOf(500)));
      await assertStatus(client.unary(messageOf(501)), Code.ResourceExhausted, /501.*500/);
      assert.equal((await collect(client.bidi(streamOf(messageOf(300))))).length, 1);
      await assertStatus(client.bidi(streamOf(messageOf(301))), Code.ResourceExhausted, /301.*300/);
      // The rest of the entry of its own comes from the service's.
      await assertStatus(client.clientStream(streamOf(messageOf(301))), Code.ResourceExhausted, /301.*300/);
    });

    it("hold at their edge for responses, and may be above the server's", async (t) => {
      const methodLimits: MethodLimits[] = [
        { of: [EchoService.method.unary, EchoService.method.bidi], maxSendMessageBytes: 200 },
        { of: EchoService, maxReceiveMessageBytes: 2000, maxSendMessageBytes: 2000 },
      ];
      const server = { maxReceiveMessageBytes: 100, maxSendMessageBytes: 100, methodLimits };
      const { client } = await open(t, echo, { server });
      assert.ok(await client.unary(messageOf(200)));
      await assertStatus(client.unary(messageOf(201)), Code.ResourceExhausted, /201.*200.*sending/);
      await assertStatus(client.bidi(streamOf(messageOf(200), messageOf(201))), Code.ResourceExhausted, /201.*200/);
      assert.ok(await client.clientStream(streamOf(messageOf(2000))));
    });
  });

  it("of a name that the server does not have are refused at the start, with the nearest one", () => {
    const make = (methodLimits: MethodLimits[]) => () => createServer({ routes: echoRoutes(echo), methodLimits });
    assert.throws(
      make([{ of: `${service}/Unari` }]),
      /"tercel.grpc.test.v1.EchoService\/Unari".*did you mean "tercel.grpc.test.v1.EchoService\/Unary"/,
    );
    assert.throws(make([{ of: "tercel.grpc.test.v1.EchoServic" }]), /did you mean "tercel.grpc.test.v1.EchoService"/);
    assert.throws(make([{ of: `/${service}/Unary` }]), /did you mean/);
    assert.throws(make([{ of: "other" }]), /there are tercel/);
    assert.throws(make([{ of: service }, { of: EchoService }]), /two entries/);
    assert.throws(make([{ of: 7 as never }]), /name or the descriptor/);
    assert.throws(make([{ of: service, maxBytes: 7 } as MethodLimits]), /unknown option "maxBytes"/);
    assert.throws(make([{ of: service, maxSendMessageBytes: -1 }]), RangeError);
    make([{ of: service, maxSendMessageBytes: 0 }])();
  });
});

describe("the limit of calls at once", () => {
  overBothTransports((open) => {
    it("lets in so many on all connections, refuses one more with Unavailable, and lets in the next when one has ended", async (t) => {
      const begun: string[] = [];
      const ends = new Map<string, () => void>();
      const strikes: string[] = [];
      const handlers: EchoHandlers = {
        async unary({ text }) {
          begun.push(text);
          await new Promise<void>((resolve) => ends.set(text, resolve));
          return { text };
        },
      };
      const { client } = await open(t, handlers, {
        server: { maxConcurrentCalls: 2, onLimit: ({ limit, action }) => strikes.push(`${limit} ${action}`) },
      });
      const begunAre = async (count: number) => {
        while (begun.length < count) await new Promise((resolve) => setImmediate(resolve));
      };
      const first = client.unary({ text: "first" });
      const second = client.unary({ text: "second" });
      await begunAre(2);
      await assertStatus(client.unary({ text: "third" }), Code.Unavailable);
      // It was not begun, so the client has tried once more by itself.
      assert.deepEqual(
        [begun, strikes],
        [
          ["first", "second"],
          ["shared_streams refused", "shared_streams refused"],
        ],
      );
      ends.get("first")?.();
      assert.equal((await first).text, "first");
      const fourth = client.unary({ text: "fourth" });
      await begunAre(3);
      ends.get("second")?.();
      ends.get("fourth")?.();
      assert.deepEqual(
        (await Promise.all([second, fourth])).map(({ text }) => text),
        ["second", "fourth"],
      );
    });

    it("counts a handler that goes on after its call was cancelled", async (t) => {
      const aborted = Promise.withResolvers<void>();
      const release = Promise.withResolvers<void>();
      let runs = 0;
      const handlers: EchoHandlers = {
        async unary(_request, context) {
          if (++runs > 1) return {};
          context.signal.addEventListener("abort", () => aborted.resolve());
          await release.promise;
          return {};
        },
      };
      const { client, server } = await open(t, handlers, { server: { maxConcurrentCalls: 1 } });
      const cancel = new AbortController();
      const call = assertStatus(client.unary({}, { signal: cancel.signal }), Code.Canceled);
      while (server.openCalls === 0 || runs === 0) await new Promise((resolve) => setImmediate(resolve));
      cancel.abort();
      await Promise.all([call, aborted.promise]);
      await assertStatus(client.unary({}), Code.Unavailable);
      release.resolve();
      await new Promise((resolve) => setImmediate(resolve));
      assert.ok(await client.unary({}));
    });
  });
});
