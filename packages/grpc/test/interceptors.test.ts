import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  Code,
  ConnectError,
  createContextKey,
  createContextValues,
  type Interceptor,
  type StreamResponse,
  type UnaryResponse,
} from "@connectrpc/connect";
import { assertStatus, createFakeClock } from "@tercel/grpc/testing";
import { collect, createOccasion, quiet, streamOf } from "@tercel/test-support/async";
import { type EchoHandlers, overBothTransports } from "./support/open-echo.ts";

const echo: EchoHandlers = {
  unary: (request) => ({ text: request.text }),
  async *serverStream(request) {
    for (let at = 0; at < request.count; at++) yield { text: request.text, count: at };
  },
  async clientStream(requests) {
    return { text: (await collect(requests)).map((request) => request.text).join(",") };
  },
  async *bidi(requests) {
    for await (const request of requests) yield { text: request.text };
  },
};

/** Notes when it is entered and left. */
function noting(name: string, notes: string[]): Interceptor {
  return (next) => async (request) => {
    notes.push(`${name} in`);
    try {
      return await next(request);
    } finally {
      notes.push(`${name} out`);
    }
  };
}

/** Puts a mark on every message of either direction, whatever the kind of call. */
const marking: Interceptor = (next) => async (request) => {
  type Texts = AsyncIterable<{ text: string }>;
  async function* marked(messages: Texts, mark: string) {
    for await (const message of messages) yield { ...message, text: message.text + mark };
  }
  const handed = request.stream
    ? { ...request, message: marked(request.message as unknown as Texts, ">") }
    : { ...request, message: { ...request.message, text: `${(request.message as { text?: string }).text}>` } };
  const response = await next(handed as typeof request);
  return (
    response.stream
      ? { ...response, message: marked(response.message as unknown as Texts, "<") }
      : { ...response, message: { ...response.message, text: `${(response.message as { text?: string }).text}<` } }
  ) as UnaryResponse | StreamResponse;
};

describe("interceptors", () => {
  overBothTransports((open) => {
    it("run from the outermost to the innermost, the client's before the server's before the service's", async (t) => {
      const notes: string[] = [];
      const { client } = await open(
        t,
        {
          unary() {
            notes.push("handler");
            return {};
          },
        },
        {
          channel: { interceptors: [noting("c1", notes), noting("c2", notes)] },
          server: { interceptors: [noting("s1", notes), noting("s2", notes)] },
          serviceInterceptors: [noting("own", notes)],
        },
      );
      await client.unary({});
      assert.deepEqual(
        notes.join(" ").replaceAll(" in", "+").replaceAll(" out", "-"),
        "c1+ c2+ s1+ s2+ own+ handler own- s2- s1- c2- c1-",
      );
    });

    for (const side of ["client", "server"] as const) {
      const of = (...interceptors: Interceptor[]) =>
        side === "client" ? { channel: { interceptors } } : { server: { interceptors } };

      it(`may replace messages of all four kinds of call (${side})`, async (t) => {
        const { client } = await open(t, echo, of(marking));
        assert.equal((await client.unary({ text: "a" })).text, "a><");
        assert.deepEqual(
          (await collect(client.serverStream({ text: "b", count: 2 }))).map((response) => response.text),
          ["b><", "b><"],
        );
        assert.equal((await client.clientStream(streamOf({ text: "c" }, { text: "d" }))).text, "c>,d><");
        assert.deepEqual(
          (await collect(client.bidi(streamOf({ text: "e" })))).map((response) => response.text),
          ["e><"],
        );
      });

      it(`that change nothing let messages, headers and trailers through (${side})`, async (t) => {
        const passing: Interceptor = (next) => (request) => next(request);
        const spreading: Interceptor = (next) => async (request) => ({ ...(await next({ ...request })) });
        const handlers: EchoHandlers = {
          unary(_request, context) {
            context.responseHeader.set("x-head", context.requestHeader.get("x-in") ?? "");
            context.responseTrailer.set("x-trail", "end");
            return {};
          },
          async *serverStream(_request, context) {
            context.responseHeader.set("x-head", context.requestHeader.get("x-in") ?? "");
            yield {};
            context.responseTrailer.set("x-trail", "end");
          },
        };
        for (const interceptors of [[passing], [spreading], [passing, spreading, passing]]) {
          const { client } = await open(t, handlers, of(...interceptors));
          for (const call of [
            client.unary,
            (...given: Parameters<typeof client.serverStream>) => collect(client.serverStream(...given)),
          ]) {
            const seen: (string | null)[] = [];
            await call(
              {},
              {
                headers: { "x-in": "in" },
                onHeader: (header) => seen.push(header.get("x-head")),
                onTrailer: (trailer) => seen.push(trailer.get("x-trail")),
              },
            );
            assert.deepEqual(seen, ["in", "end"]);
          }
        }
      });

      it(`may set and read metadata (${side})`, async (t) => {
        const seen: (string | null)[] = [];
        const tagging: Interceptor = (next) => async (request) => {
          request.header.set("x-tag", "set on the way");
          const response = await next(request);
          seen.push(response.header.get("x-head"));
          response.header.set("x-extra", "1");
          return response;
        };
        const { client } = await open(
          t,
          {
            unary(_request, context) {
              context.responseHeader.set("x-head", "h");
              return { text: context.requestHeader.get("x-tag") ?? "" };
            },
          },
          of(tagging),
        );
        let header = new Headers();
        assert.equal((await client.unary({}, { onHeader: (given) => (header = given) })).text, "set on the way");
        assert.deepEqual(seen, ["h"]);
        assert.equal(header.get("x-extra"), "1");
      });

      it(`may answer without calling on (${side})`, async (t) => {
        let calls = 0;
        const answering: Interceptor = (next) => async (request) => {
          if (request.stream) return next(request);
          const { service, method } = request;
          const message = { $typeName: method.output.typeName, text: "cached", payload: new Uint8Array(), count: 0 };
          return {
            stream: false,
            service,
            method,
            header: new Headers({ "x-cache": "hit" }),
            trailer: new Headers(),
            message,
          } as unknown as UnaryResponse;
        };
        const { client } = await open(
          t,
          {
            unary() {
              calls++;
              return {};
            },
          },
          of(answering),
        );
        let hit: string | null = null;
        const response = await client.unary({}, { onHeader: (header) => (hit = header.get("x-cache")) });
        assert.deepEqual([response.text, hit, calls], ["cached", "hit", 0]);
      });

      it(`may call on a second time (${side})`, async (t) => {
        let calls = 0;
        const retrying: Interceptor = (next) => async (request) => {
          // Looking at the signal and the header must not tie the call to the first attempt.
          assert.equal(request.signal.aborted, false);
          request.header.set("x-retry", "yes");
          try {
            return await next(request);
          } catch {
            return await next(request);
          }
        };
        const { client } = await open(
          t,
          {
            unary() {
              if (++calls % 2 === 1) throw new ConnectError("first", Code.Unavailable);
              return { count: calls };
            },
          },
          of(retrying),
        );
        assert.equal((await client.unary({}, { timeoutMs: 60_000 })).count, 2);
        assert.equal((await client.unary({})).count, 4);
      });

      it(`end the call with what they throw (${side})`, async (t) => {
        const refusing: Interceptor = () => () => Promise.reject(new ConnectError("not you", Code.PermissionDenied));
        const { client } = await open(t, echo, of(refusing));
        await assertStatus(client.unary({}), Code.PermissionDenied, "not you");
        await assertStatus(client.serverStream({ count: 1 }), Code.PermissionDenied, "not you");
        await assertStatus(client.clientStream(streamOf({})), Code.PermissionDenied, "not you");
      });

      it(`see the error of the call (${side})`, async (t) => {
        const seen: unknown[] = [];
        const watching: Interceptor = (next) => async (request) => {
          try {
            return await next(request);
          } catch (error) {
            seen.push(ConnectError.from(error).rawMessage);
            throw error;
          }
        };
        const { client } = await open(
          t,
          {
            unary() {
              throw new ConnectError("failed", Code.Aborted);
            },
          },
          of(watching),
        );
        await assertStatus(client.unary({}), Code.Aborted, "failed");
        assert.deepEqual(seen, ["failed"]);
      });
    }

    it("of a client may retry a stream that failed at its start, although they looked at its signal", async (t) => {
      let calls = 0;
      const retrying: Interceptor = (next) => async (request) => {
        assert.equal(request.signal.aborted, false);
        try {
          return await next(request);
        } catch {
          return await next({ ...request, message: streamOf({ count: 2 }) } as unknown as typeof request);
        }
      };
      const { client } = await open(
        t,
        {
          async *serverStream(request) {
            if (++calls === 1) throw new ConnectError("first", Code.Unavailable);
            for (let at = 0; at < request.count; at++) yield { count: at };
          },
        },
        { channel: { interceptors: [retrying] } },
      );
      assert.equal((await collect(client.serverStream({ count: 2 }))).length, 2);
    });

    it("of a client see a signal that the deadline aborts, across all they call", async (t) => {
      const clock = createFakeClock();
      const reasons: unknown[] = [];
      const entered = createOccasion();
      const watching: Interceptor = (next) => async (request) => {
        request.signal.addEventListener("abort", () => reasons.push(request.signal.reason));
        return next(request);
      };
      const { client } = await open(
        t,
        {
          unary() {
            entered.happen();
            return new Promise(() => {});
          },
        },
        { channel: { clock, interceptors: [watching] } },
      );
      const failing = assertStatus(client.unary({}, { timeoutMs: 1000 }), Code.DeadlineExceeded);
      await entered.happened;
      await clock.advance(1010);
      await failing;
      assert.equal(reasons.length, 1);
      assert.equal(ConnectError.from(reasons[0]).code, Code.DeadlineExceeded);
    });

    it("of a stream keep its signal until the stream ends, not only until its head came", async (t) => {
      const release = createOccasion();
      let signal: AbortSignal | undefined;
      const watching: Interceptor = (next) => (request) => {
        signal = request.signal;
        return next(request);
      };
      const { client } = await open(
        t,
        {
          async *serverStream() {
            yield {};
            await release.happened;
            yield {};
          },
        },
        { channel: { interceptors: [watching] } },
      );
      const responses = client.serverStream({})[Symbol.asyncIterator]();
      await responses.next();
      await quiet();
      assert.equal(signal?.aborted, false);
      release.happen();
      await responses.next();
      await responses.next();
      assert.equal(signal?.aborted, true);
    });

    it("that copy a stream's response before its end still pass on its trailer", async (t) => {
      const release = createOccasion();
      const copying: Interceptor = (next) => async (request) => ({ ...(await next(request)) });
      const { client } = await open(
        t,
        {
          async *serverStream(_request, context) {
            yield {};
            await release.happened;
            context.responseTrailer.set("x-trail", "late");
          },
        },
        { channel: { interceptors: [copying] } },
      );
      let seen: string | null = null;
      const responses = client.serverStream({}, { onTrailer: (trailer) => (seen = trailer.get("x-trail")) });
      for await (const _response of responses) release.happen();
      assert.equal(seen, "late");
    });

    it("share context values with each other, and on the server with the handler", async (t) => {
      const user = createContextKey("no one");
      const naming: Interceptor = (next) => (request) => {
        request.contextValues.set(user, `${request.contextValues.get(user)}!`);
        return next(request);
      };
      const { client } = await open(
        t,
        { unary: (_request, context) => ({ text: context.values.get(user) }) },
        { server: { interceptors: [naming, naming] } },
      );
      assert.equal((await client.unary({})).text, "no one!!");
      let seen = "";
      const reading: Interceptor = (next) => (request) => {
        seen = request.contextValues.get(user);
        return next(request);
      };
      const other = await open(t, echo, { channel: { interceptors: [reading] } });
      await other.client.unary({}, { contextValues: createContextValues().set(user, "me") });
      assert.equal(seen, "me");
    });
  });
});

describe("what no one asks for", () => {
  overBothTransports((open) => {
    it("is not made: no Headers, no AbortController, with interceptors that only pass on", async (t) => {
      const passing: Interceptor = (next) => (request) => next(request);
      const { client } = await open(
        t,
        { unary: () => ({ text: "ok" }) },
        { channel: { interceptors: [passing] }, server: { interceptors: [passing, passing] } },
      );
      // The first call makes the connection, which may use what it likes.
      await client.unary({});
      const made: string[] = [];
      const { Headers: RealHeaders, AbortController: RealController } = globalThis;
      globalThis.Headers = class extends RealHeaders {
        constructor(...given: ConstructorParameters<typeof RealHeaders>) {
          super(...given);
          made.push("Headers");
        }
      };
      globalThis.AbortController = class extends RealController {
        constructor() {
          super();
          made.push("AbortController");
        }
      };
      try {
        await client.unary({}, { timeoutMs: 10_000 });
        assert.deepEqual(made, []);
        await client.unary({}, { onHeader: () => {} });
        assert.deepEqual(made, ["Headers"]);
      } finally {
        globalThis.Headers = RealHeaders;
        globalThis.AbortController = RealController;
      }
    });
  });
});
