import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code, ConnectError, createContextValues } from "@connectrpc/connect";
import { assertStatus } from "@tercel/grpc/testing";
import { collect, streamOf } from "@tercel/test-support/async";
import { type EchoHandlers, overBothTransports } from "../../test/support/open-echo.ts";
import {
  createClientRequestId,
  createServerRequestId,
  currentRequestId,
  requestIdKey,
  runWithRequestId,
} from "./index.ts";

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Responds with the id that each kind of handler sees, before and after a wait. */
const telling: EchoHandlers = {
  async unary(_request, context) {
    await new Promise((resolve) => setImmediate(resolve));
    return { text: `${context.values.get(requestIdKey)} ${currentRequestId()}` };
  },
  async *serverStream(_request, context) {
    yield { text: `${context.values.get(requestIdKey)} ${currentRequestId()}` };
    await new Promise((resolve) => setImmediate(resolve));
    yield { text: `${context.values.get(requestIdKey)} ${currentRequestId()}` };
  },
  async clientStream(requests, context) {
    await collect(requests);
    return { text: `${context.values.get(requestIdKey)} ${currentRequestId()}` };
  },
  async *bidi(requests, context) {
    for await (const _request of requests) yield { text: `${context.values.get(requestIdKey)} ${currentRequestId()}` };
  },
};

describe("request ids", () => {
  overBothTransports((open) => {
    it("of clients are available in handlers of all kinds, to the end of their streams", async (t) => {
      const { client } = await open(t, telling, { server: { interceptors: [createServerRequestId()] } });
      const options = { headers: { "x-request-id": "abc-1" } };
      const texts = [
        (await client.unary({}, options)).text,
        ...(await collect(client.serverStream({}, options))).map(({ text }) => text),
        (await client.clientStream(streamOf({}), options)).text,
        ...(await collect(client.bidi(streamOf({}, {}), options))).map(({ text }) => text),
      ];
      assert.deepEqual(texts, Array(6).fill("abc-1 abc-1"));
    });

    it("are created for calls without one, and sent back", async (t) => {
      const { client } = await open(t, telling, { server: { interceptors: [createServerRequestId()] } });
      const seen = new Set<string>();
      for (let at = 0; at < 3; at++) {
        let id = "";
        const { text } = await client.unary({}, { onHeader: (header) => (id = header.get("x-request-id") ?? "") });
        assert.match(id, uuid);
        assert.equal(text, `${id} ${id}`);
        seen.add(id);
      }
      assert.equal(seen.size, 3);
    });

    it("are sent back with errors", async (t) => {
      const { client } = await open(
        t,
        {
          unary() {
            throw new ConnectError("no", Code.NotFound);
          },
          // biome-ignore lint/correctness/useYield: a handler that fails before its first answer is what is tried
          async *serverStream() {
            throw new ConnectError("no", Code.NotFound);
          },
        },
        { server: { interceptors: [createServerRequestId()] } },
      );
      const options = { headers: { "x-request-id": "abc-2" } };
      const error = await assertStatus(client.unary({}, options), Code.NotFound, "no");
      assert.equal(error.metadata.get("x-request-id"), "abc-2");
      let streamed: string | null = null;
      const responses = client.serverStream({}, { ...options, onHeader: (h) => (streamed = h.get("x-request-id")) });
      await assertStatus(responses, Code.NotFound, "no");
      assert.equal(streamed, "abc-2");
    });

    it("of one call do not appear in another's error, although a handler throws the same object", async (t) => {
      const shared = new ConnectError("no", Code.NotFound, { "x-other": "stays" });
      const { client } = await open(
        t,
        {
          unary() {
            throw shared;
          },
        },
        { server: { interceptors: [createServerRequestId()] } },
      );
      const ids = Array.from({ length: 8 }, (_, at) => `call-${at}`);
      const errors = await Promise.all(
        ids.map((id) => assertStatus(client.unary({}, { headers: { "x-request-id": id } }), Code.NotFound, "no")),
      );
      assert.deepEqual(
        errors.map(({ metadata }) => metadata.get("x-request-id")),
        ids,
      );
      assert.equal(errors[0]?.metadata.get("x-other"), "stays");
      assert.equal(shared.metadata.has("x-request-id"), false);
    });

    it("are accepted up to 128 valid characters, and replaced if they are longer, empty or invalid", async (t) => {
      const { client } = await open(t, telling, { server: { interceptors: [createServerRequestId()] } });
      const idFor = async (sent: string): Promise<string> =>
        (await client.unary({}, { headers: { "x-request-id": sent } })).text.split(" ").at(-1) ?? "";
      for (const fit of ["x", "a".repeat(128), "A.b_c:d/e+f=g@h~i-0"]) assert.equal(await idFor(fit), fit);
      for (const unfit of ["a".repeat(129), "two words", 'quo"te', "semi;colon", "{}", "a,b", "<b>", "%0a"]) {
        assert.match(await idFor(unfit), uuid, unfit);
      }
    });

    it("are neither accepted nor sent back if the options say so", async (t) => {
      const interceptor = createServerRequestId({ acceptIncoming: false, sendBack: false, makeId: () => "own" });
      const { client } = await open(t, telling, { server: { interceptors: [interceptor] } });
      let told: string | null = "";
      const { text } = await client.unary(
        {},
        { headers: { "x-request-id": "theirs" }, onHeader: (header) => (told = header.get("x-request-id")) },
      );
      assert.deepEqual([text, told], ["own own", null]);
    });

    it("are propagated from a call to the calls that its handler makes, including streams", async (t) => {
      const inner = await open(t, telling, {
        server: { interceptors: [createServerRequestId()] },
        channel: { interceptors: [createClientRequestId()] },
      });
      const outer = await open(
        t,
        {
          unary: async () => ({ text: (await inner.client.unary({})).text }),
          async *serverStream() {
            yield { text: "first" };
            yield* inner.client.serverStream({});
          },
        },
        { server: { interceptors: [createServerRequestId()] } },
      );
      const options = { headers: { "x-request-id": "through-all" } };
      assert.equal((await outer.client.unary({}, options)).text, "through-all through-all");
      assert.deepEqual(
        (await collect(outer.client.serverStream({}, options))).map(({ text }) => text),
        ["first", "through-all through-all", "through-all through-all"],
      );
    });

    it("of a client come from the header, the context value, or the current request, or are new", async (t) => {
      const { client } = await open(t, telling, {
        server: { interceptors: [createServerRequestId()] },
        channel: { interceptors: [createClientRequestId({ makeId: () => "made" })] },
      });
      const contextValues = (): ReturnType<typeof createContextValues> =>
        createContextValues().set(requestIdKey, "valued");
      const first = async (...given: Parameters<typeof client.unary>): Promise<string | undefined> =>
        (await client.unary(...given)).text.split(" ")[0];
      await runWithRequestId("running", async () => {
        assert.equal(await first({}, { headers: { "x-request-id": "set" }, contextValues: contextValues() }), "set");
        assert.equal(await first({}, { contextValues: contextValues() }), "valued");
        assert.equal(await first({}), "running");
      });
      assert.equal(await first({}), "made");
    });
  });

  it("reject unknown options and invalid header names", () => {
    assert.throws(
      () => createServerRequestId({ heder: "x" } as never),
      /unknown option "heder"; did you mean "header"/,
    );
    for (const header of ["X-Request-Id", "grpc-id", "id-bin", "a b", ""]) {
      assert.throws(() => createServerRequestId({ header }), TypeError);
      assert.throws(() => createClientRequestId({ header }), TypeError);
    }
  });
});
