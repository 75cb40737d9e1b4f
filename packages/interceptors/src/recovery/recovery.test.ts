import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { assertStatus } from "@tercel/grpc/testing";
import { aborted, collect, createOccasion, streamOf } from "@tercel/test-support/async";
import { type EchoHandlers, overBothTransports, recordingLog } from "../../test/support/open-echo.ts";
import { createRecovery, type HandlerFault } from "./index.ts";

const generic = /^internal error, id [0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Handlers of all kinds that throw the result of `thrown` before they respond. */
function throwing(thrown: () => unknown): EchoHandlers {
  return {
    unary() {
      throw thrown();
    },
    // biome-ignore lint/correctness/useYield: a handler that fails before its first answer is what is tried
    async *serverStream() {
      throw thrown();
    },
    clientStream: () => Promise.reject(thrown()),
    async *bidi(requests) {
      for await (const request of requests) {
        if (request.text === "last") throw thrown();
        yield { text: request.text };
      }
    },
  };
}

const calls = ["unary", "serverStream", "clientStream", "bidi"] as const;

describe("recovery", () => {
  overBothTransports((open) => {
    for (const kind of calls) {
      it(`turns the error of a ${kind} handler into INTERNAL with an id that is also in the log line and the hook`, async (t) => {
        const { log, logged } = recordingLog();
        const faults: HandlerFault[] = [];
        const bug = new TypeError("secret of the repository");
        const recovery = createRecovery({ log, onFault: (fault) => faults.push(fault) });
        const echo = await open(
          t,
          throwing(() => bug),
          { server: { interceptors: [recovery] } },
        );
        const { client } = echo;
        const call = {
          unary: () => client.unary({}),
          serverStream: () => client.serverStream({}),
          clientStream: () => client.clientStream(streamOf({})),
          bidi: () => client.bidi(streamOf({ text: "first" }, { text: "last" })),
        }[kind]();
        const error = await assertStatus(call, Code.Internal, generic);
        const id = error.rawMessage.split(" ").at(-1);
        const method = kind[0]?.toUpperCase() + kind.slice(1);
        const service = "tercel.interceptors.test.v1.EchoService";
        assert.deepEqual(faults, [{ id, error: bug, service, method }]);
        assert.deepEqual(
          logged.map(({ level, fields }) => [level, fields.id, fields.method]),
          [["error", id, `${service}/${method}`]],
        );
        assert.match(String(logged[0]?.fields.error), /^TypeError: secret of the repository\n {4}at /);
        assert.deepEqual(echo.logged, [], "the server has nothing to add");
      });
    }

    it("passes on the messages that a stream sent before its failure", async (t) => {
      const { log } = recordingLog();
      const { client } = await open(
        t,
        {
          async *serverStream() {
            yield { count: 1 };
            yield { count: 2 };
            throw new RangeError("in the middle");
          },
        },
        { server: { interceptors: [createRecovery({ log })] } },
      );
      const counts: number[] = [];
      const reading = async (): Promise<void> => {
        for await (const response of client.serverStream({})) counts.push(response.count);
      };
      await assertStatus(reading(), Code.Internal, generic);
      assert.deepEqual(counts, [1, 2]);
    });

    it("accepts any thrown value", async (t) => {
      const hostile = new Proxy(
        {},
        {
          get() {
            throw new Error("do not look");
          },
          ownKeys() {
            throw new Error("do not look");
          },
        },
      );
      const stackless = new Error("no stack");
      Object.defineProperty(stackless, "stack", {
        get() {
          throw new Error("do not look");
        },
      });
      for (const thrown of [undefined, null, 0, "text", 10n, Symbol("s"), {}, () => {}, hostile, stackless]) {
        const { log, logged } = recordingLog();
        const { client } = await open(
          t,
          throwing(() => thrown),
          { server: { interceptors: [createRecovery({ log })] } },
        );
        await assertStatus(client.unary({}), Code.Internal, generic);
        await assertStatus(client.serverStream({}), Code.Internal, generic);
        assert.equal(logged.length, 2);
        assert.doesNotThrow(() => JSON.stringify(logged));
      }
    });

    it("does not change a ConnectError, with its details and metadata", async (t) => {
      const { log, logged } = recordingLog();
      const faults: HandlerFault[] = [];
      const { client } = await open(
        t,
        throwing(() => new ConnectError("no such echo", Code.NotFound, { "x-why": "because" })),
        { server: { interceptors: [createRecovery({ log, onFault: (fault) => faults.push(fault) })] } },
      );
      const error = await assertStatus(client.unary({}), Code.NotFound, "no such echo");
      assert.equal(error.metadata.get("x-why"), "because");
      await assertStatus(client.serverStream({}), Code.NotFound, "no such echo");
      assert.deepEqual([logged, faults], [[], []]);
    });

    it("does not treat the AbortError of a cancelled call as a fault", async (t) => {
      const { log, logged } = recordingLog();
      const entered = createOccasion();
      const left = createOccasion<unknown>();
      const watching: Interceptor = (next) => async (request) => {
        try {
          return await next(request);
        } catch (error) {
          left.happen(error);
          throw error;
        }
      };
      const { client } = await open(
        t,
        {
          async unary(_request, context) {
            entered.happen();
            await aborted(context.signal);
            throw new DOMException("This operation was aborted", "AbortError");
          },
        },
        { server: { interceptors: [watching, createRecovery({ log })] } },
      );
      const cancel = new AbortController();
      const call = assertStatus(client.unary({}, { signal: cancel.signal }), Code.Canceled);
      await entered.happened;
      cancel.abort();
      await call;
      assert.equal(ConnectError.from(await left.happened).code, Code.Canceled);
      assert.deepEqual(logged, []);
    });

    it("catches errors of interceptors inside it, also synchronous ones", async (t) => {
      const { log, logged } = recordingLog();
      const sudden: Interceptor = () => () => {
        throw new TypeError("sudden");
      };
      const { client } = await open(t, {}, { server: { interceptors: [createRecovery({ log }), sudden] } });
      await assertStatus(client.unary({}), Code.Internal, generic);
      await assertStatus(client.serverStream({}), Code.Internal, generic);
      assert.equal(logged.length, 2);
    });

    it("survives a log and a hook that throw", async (t) => {
      const failing = (): never => {
        throw new Error("cannot report");
      };
      const log = { debug: failing, info: failing, warn: failing, error: failing };
      const { client } = await open(
        t,
        throwing(() => new Error("first")),
        { server: { interceptors: [createRecovery({ log, onFault: failing })] } },
      );
      await assertStatus(client.unary({}), Code.Internal, generic);
    });

    it("does not change successful calls", async (t) => {
      const { log, logged } = recordingLog();
      const { client } = await open(
        t,
        {
          unary: ({ text }) => ({ text }),
          async *serverStream({ count }, context) {
            context.responseHeader.set("x-head", "h");
            for (let at = 0; at < count; at++) yield { count: at };
            context.responseTrailer.set("x-trail", "t");
          },
        },
        { server: { interceptors: [createRecovery({ log })] } },
      );
      assert.equal((await client.unary({ text: "fine" })).text, "fine");
      const seen: (string | null)[] = [];
      const responses = client.serverStream(
        { count: 3 },
        {
          onHeader: (header) => seen.push(header.get("x-head")),
          onTrailer: (trailer) => seen.push(trailer.get("x-trail")),
        },
      );
      assert.equal((await collect(responses)).length, 3);
      assert.deepEqual(seen, ["h", "t"]);
      assert.deepEqual(logged, []);
    });
  });

  it("rejects an unknown option", () => {
    assert.throws(
      () => createRecovery({ onfault: () => {} } as never),
      /unknown option "onfault"; did you mean "onFault"/,
    );
  });
});
