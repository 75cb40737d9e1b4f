import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createInMemoryTransport } from "@tercel/grpc/testing";
import { collect, createOccasion, streamOf } from "@tercel/test-support/async";
import { EchoResponseSchema, EchoService } from "./gen/tercel/grpc/test/v1/echo_pb.ts";
import { type EchoHandlers, echoRoutes, overBothTransports } from "./support/open-echo.ts";

const echo: EchoHandlers = {
  unary: (request) => ({ text: request.text, payload: request.payload, count: request.count + 1 }),
  async *serverStream(request) {
    for (let at = 0; at < request.count; at++) yield { text: request.text, count: at };
  },
  async clientStream(requests) {
    const texts: string[] = [];
    for await (const request of requests) texts.push(request.text);
    return { text: texts.join(","), count: texts.length };
  },
  async *bidi(requests) {
    for await (const request of requests) yield { text: request.text.toUpperCase() };
  },
};

describe("the four kinds of call", () => {
  overBothTransports((open) => {
    it("carries one message each way", async (t) => {
      const { client } = await open(t, echo);
      const response = await client.unary({ text: "grüße", payload: new Uint8Array([0, 255]), count: -2 });
      assert.equal(response.text, "grüße");
      assert.deepEqual(response.payload, new Uint8Array([0, 255]));
      assert.equal(response.count, -1);
    });

    it("carries large messages both ways, one after the other and side by side", async (t) => {
      const { client } = await open(t, echo);
      const payloads = [65_531, 65_536, 300_000, 1_000_000].map((bytes) =>
        Uint8Array.from({ length: bytes }, (_, at) => (at * 7 + bytes) % 251),
      );
      for (let round = 0; round < 3; round++) {
        const answers = await Promise.all(payloads.map((payload) => client.unary({ payload })));
        answers.forEach((answer, at) => {
          assert.ok(Buffer.from(answer.payload).equals(payloads[at] as Uint8Array), `${answer.payload.length} bytes`);
        });
      }
    });

    it("takes a handler that answers at once, one that answers later, and one that builds the message itself", async (t) => {
      const handlers: EchoHandlers[] = [
        { unary: () => ({ text: "now" }) },
        { unary: async () => ({ text: "later" }) },
        { unary: () => create(EchoResponseSchema, { text: "built" }) },
      ];
      const texts: string[] = [];
      for (const handler of handlers) texts.push((await (await open(t, handler)).client.unary({})).text);
      assert.deepEqual(texts, ["now", "later", "built"]);
    });

    it("carries an empty message", async (t) => {
      const { client } = await open(t, echo);
      assert.equal((await client.unary({ count: -1 })).$typeName, "tercel.grpc.test.v1.EchoResponse");
    });

    it("streams responses in order, none included", async (t) => {
      const { client } = await open(t, echo);
      const responses = await collect(client.serverStream({ text: "x", count: 1000 }));
      assert.deepEqual(
        responses.map((response) => response.count),
        Array.from({ length: 1000 }, (_, at) => at),
      );
      assert.deepEqual(await collect(client.serverStream({ count: 0 })), []);
    });

    it("streams requests in order, none included", async (t) => {
      const { client } = await open(t, echo);
      const requests = Array.from({ length: 500 }, (_, at) => ({ text: String(at) }));
      const response = await client.clientStream(streamOf(...requests));
      assert.equal(response.text, requests.map((request) => request.text).join(","));
      assert.equal((await client.clientStream(streamOf())).count, 0);
    });

    it("answers a request of a bidirectional call before the next one is sent", async (t) => {
      const { client } = await open(t, echo);
      const answered: string[] = [];
      let wake = createOccasion();
      async function* ask() {
        for (const text of ["a", "b", "c"]) {
          yield { text };
          await wake.happened;
          wake = createOccasion();
        }
      }
      for await (const response of client.bidi(ask())) {
        answered.push(response.text);
        wake.happen();
      }
      assert.deepEqual(answered, ["A", "B", "C"]);
    });

    it("lets a bidirectional handler speak first and after the client has finished", async (t) => {
      const { client } = await open(t, {
        async *bidi(requests) {
          yield { text: "welcome" };
          const seen = await collect(requests);
          yield { text: `seen ${seen.length}` };
        },
      });
      const responses = await collect(client.bidi(streamOf({}, {})));
      assert.deepEqual(
        responses.map((response) => response.text),
        ["welcome", "seen 2"],
      );
    });

    it("lets a client-streaming handler answer before the requests have ended, and stops the client's generator", async (t) => {
      const { client } = await open(t, { clientStream: async () => ({ text: "enough" }) });
      const stopped = createOccasion();
      async function* endless() {
        try {
          for (;;) {
            yield { text: "x" };
            await new Promise((resolve) => setImmediate(resolve));
          }
        } finally {
          stopped.happen();
        }
      }
      assert.equal((await client.clientStream(endless())).text, "enough");
      await stopped.happened;
    });

    it("runs many kinds of call over one connection at the same time", async (t) => {
      const { client } = await open(t, echo);
      const results = await Promise.all(
        Array.from({ length: 60 }, async (_, at) => {
          if (at % 3 === 0) return (await client.unary({ count: at })).count === at + 1;
          if (at % 3 === 1) return (await collect(client.serverStream({ count: at }))).length === at;
          return (await collect(client.bidi(streamOf({ text: "a" }, { text: "b" })))).length === 2;
        }),
      );
      assert.ok(results.every(Boolean));
    });
  });

  it("does not depend on how the bytes are cut on their way", async () => {
    const payload = new Uint8Array(700).fill(7);
    for (const maxChunkBytes of [1, 2, 3, 7, 24, 64]) {
      const transport = createInMemoryTransport({ routes: echoRoutes(echo), maxChunkBytes });
      const client = createClient(EchoService, transport);
      const header = { "x-key": "value" };
      const response = await client.unary({ text: "cut", payload, count: 1 }, { headers: header });
      assert.deepEqual([response.text, response.count, response.payload.length], ["cut", 2, 700], `${maxChunkBytes}`);
      const many = await collect(client.bidi(streamOf({ text: "a" }, { text: "" }, { text: "b".repeat(300) })));
      assert.deepEqual(
        many.map((one) => one.text.length),
        [1, 0, 300],
        `${maxChunkBytes}`,
      );
      await transport.close();
    }
  });
});
