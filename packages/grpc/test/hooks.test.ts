import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { describe, it } from "node:test";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { type CallHook, createHookedInterceptor, setHeader } from "@tercel/grpc/hooks";
import { assertStatus } from "@tercel/grpc/testing";
import { collect, streamOf } from "@tercel/test-support/async";
import { type EchoHandlers, openInMemory } from "./support/open-echo.ts";

const echo: EchoHandlers = {
  unary: (request) => ({ text: request.text }),
  async *serverStream(request) {
    for (let at = 0; at < request.count; at++) yield { text: request.text, count: at };
  },
  clientStream: async (requests) => ({ text: (await collect(requests)).map(({ text }) => text).join(",") }),
  async *bidi(requests) {
    for await (const { text } of requests) yield { text };
  },
};

/** Notes every step, under a name. */
function noting(name: string, notes: string[], more: CallHook = {}): Interceptor {
  return createHookedInterceptor({
    begin: (request) => {
      notes.push(`${name} begin ${request.method.name}`);
      return more.begin?.(request);
    },
    onRequest: () => notes.push(`${name} request`),
    onHead: () => notes.push(`${name} head`),
    onResponse: () => notes.push(`${name} response`),
    onEnd: () => notes.push(`${name} end`),
    onError(_request, _state, error) {
      notes.push(`${name} error`);
      return more.onError === undefined ? error : more.onError(_request, undefined, error);
    },
    onLeave: () => notes.push(`${name} leave`),
    ...(more.runner && { runner: more.runner }),
  });
}

const passing: Interceptor = (next) => (request) => next(request);
const alone = (...hooks: Interceptor[]): Interceptor[] => hooks;
const amongOthers = (...hooks: Interceptor[]): Interceptor[] => hooks.flatMap((hook) => [hook, passing]);

describe("hooks around a call", () => {
  for (const [how, arrange] of [
    ["as one passage", alone],
    ["as Connect's interceptors", amongOthers],
  ] as const) {
    const open = async (t: Parameters<typeof openInMemory>[0], handlers: EchoHandlers, ...hooks: Interceptor[]) =>
      (await openInMemory(t, handlers, { server: { interceptors: arrange(...hooks) } })).client;

    it(`hear of each step from the outermost inwards, and of the answer from the innermost outwards (${how})`, async (t) => {
      const notes: string[] = [];
      const client = await open(t, echo, noting("a", notes), noting("b", notes));
      assert.equal((await client.unary({ text: "x" })).text, "x");
      assert.deepEqual(notes.splice(0), [
        ...["a begin Unary", "a request", "b begin Unary", "b request"],
        ...["b head", "b response", "b end", "a head", "a response", "a end"],
      ]);
      assert.deepEqual(
        (await collect(client.bidi(streamOf({ text: "x" })))).map(({ text }) => text),
        ["x"],
      );
      assert.deepEqual(
        notes.splice(0).filter((note) => note.startsWith("a")),
        ["a begin Bidi", "a head", "a request", "a response", "a end"],
      );
      assert.equal((await collect(client.serverStream({ text: "x", count: 2 }))).length, 2);
      assert.equal(notes.splice(0).filter((note) => note === "b response").length, 2);
      assert.equal((await client.clientStream(streamOf({ text: "x" }, { text: "y" }))).text, "x,y");
      assert.equal(notes.filter((note) => note === "b request").length, 2);
    });

    it(`that refuse a call, at once or later, are told to those further out only (${how})`, async (t) => {
      for (const refuse of [
        () => {
          throw new ConnectError("no", Code.PermissionDenied);
        },
        () => Promise.reject(new ConnectError("no", Code.PermissionDenied)),
      ]) {
        const notes: string[] = [];
        const refusing = noting("b", notes, { begin: refuse });
        const client = await open(t, echo, noting("a", notes), refusing, noting("c", notes));
        await assertStatus(client.unary({}), Code.PermissionDenied, "no");
        assert.deepEqual(notes.splice(0), ["a begin Unary", "a request", "b begin Unary", "a error"]);
        await assertStatus(client.serverStream({}), Code.PermissionDenied, "no");
        assert.equal(notes.at(-1), "a error");
        assert.equal(notes.includes("c begin ServerStream"), false);
      }
    });

    it(`may change what a call fails with, that of a stream in its middle as well (${how})`, async (t) => {
      const renaming = createHookedInterceptor({ onError: () => new ConnectError("renamed", Code.DataLoss) });
      const client = await open(
        t,
        {
          unary() {
            throw new Error("an accident");
          },
          async *serverStream() {
            yield {};
            throw new Error("an accident");
          },
        },
        renaming,
      );
      await assertStatus(client.unary({}), Code.DataLoss, "renamed");
      await assertStatus(client.serverStream({}), Code.DataLoss, "renamed");
    });

    it(`refuse single messages of a stream, and the handler learns it where it reads (${how})`, async (t) => {
      let count = 0;
      const second = createHookedInterceptor({
        onRequest() {
          if (++count === 2) throw new ConnectError("the second", Code.InvalidArgument);
        },
      });
      const taken: string[] = [];
      const client = await open(
        t,
        {
          async *bidi(requests) {
            for await (const { text } of requests) {
              taken.push(text);
              yield { text };
            }
          },
        },
        second,
      );
      const call = collect(client.bidi(streamOf({ text: "1" }, { text: "2" }, { text: "3" })));
      await assertStatus(call, Code.InvalidArgument, "the second");
      assert.deepEqual(taken, ["1"]);
    });

    it(`hear once that the reader of a stream has left, and its handler is let go (${how})`, async (t) => {
      const notes: string[] = [];
      let left: () => void = () => {};
      const leaving = new Promise<void>((resolve) => {
        left = resolve;
      });
      const client = await open(
        t,
        {
          async *serverStream() {
            try {
              for (;;) {
                yield {};
                await new Promise((resolve) => setImmediate(resolve));
              }
            } finally {
              left();
            }
          },
        },
        noting("a", notes),
      );
      const giveUp = new AbortController();
      const reading = collect(
        (async function* () {
          for await (const response of client.serverStream({}, { signal: giveUp.signal })) {
            giveUp.abort();
            yield response;
          }
        })(),
      );
      await assert.rejects(reading);
      await leaving;
      assert.equal(notes.filter((note) => note === "a leave").length, 1);
      assert.equal(notes.includes("a end"), false);
    });

    it(`set headers that the handler's own stand next to, and win over those of the same name (${how})`, async (t) => {
      const heading = createHookedInterceptor({
        onHead(request, _state, response) {
          setHeader(request, response, "x-hook", "first");
          setHeader(request, response, "x-hook", "last");
          setHeader(request, response, "x-own", "the hook's");
        },
      });
      for (const own of [false, true]) {
        const client = await open(
          t,
          {
            unary(_request, context) {
              if (own) context.responseHeader.set("x-own", "the handler's");
              if (own) context.responseHeader.set("x-more", "1");
              return {};
            },
          },
          heading,
        );
        let header = new Headers();
        await client.unary({}, { onHeader: (given) => (header = given) });
        assert.deepEqual(
          [header.get("x-hook"), header.get("x-own"), header.get("x-more")],
          ["last", "the hook's", own ? "1" : null],
        );
      }
    });

    it(`run what is further in, the steps of a stream as well (${how})`, async (t) => {
      let depth = 0;
      const seen: number[] = [];
      const deeper = createHookedInterceptor({
        runner: () => (step) => {
          depth++;
          try {
            return step();
          } finally {
            depth--;
          }
        },
      });
      const client = await open(
        t,
        {
          unary() {
            seen.push(depth);
            return {};
          },
          async *serverStream() {
            seen.push(depth);
            yield {};
          },
        },
        deeper,
        deeper,
      );
      await client.unary({});
      await collect(client.serverStream({}));
      assert.deepEqual(seen, [2, 2]);
      assert.equal(depth, 0);
    });

    it(`let each call have an asynchronous context of its own, whatever runs meanwhile (${how})`, async (t) => {
      const storage = new AsyncLocalStorage<object>();
      const entering = createHookedInterceptor<object>({
        begin: () => ({}),
        runner(_request, own, mayEnter) {
          if (!mayEnter) return (step) => storage.run(own, step);
          storage.enterWith(own);
          return undefined;
        },
      });
      const seen: (object | undefined)[][] = [];
      const watch = (): (() => void) => {
        const mine: (object | undefined)[] = [];
        seen.push(mine);
        return () => mine.push(storage.getStore());
      };
      const client = await open(
        t,
        {
          async unary({ text, count }) {
            const look = watch();
            look();
            if (count > 0) await client.unary({ text, count: count - 1 });
            look();
            return {};
          },
          async *serverStream() {
            const look = watch();
            look();
            yield {};
            look();
          },
        },
        entering,
      );
      await Promise.all([client.unary({ count: 2 }), client.unary({ count: 1 }), collect(client.serverStream({}))]);
      assert.equal(seen.length, 6);
      assert.equal(new Set(seen.flat()).size, 6);
      for (const [before, after] of seen) assert.ok(before !== undefined && before === after);
      assert.equal(storage.getStore(), undefined);
    });

    it(`that throw where they must not fail their call and nothing else (${how})`, async (t) => {
      const rude = createHookedInterceptor({
        onEnd() {
          throw new ConnectError("rude", Code.Aborted);
        },
      });
      const client = await open(t, echo, rude);
      await assertStatus(client.unary({}), Code.Aborted, "rude");
      await assertStatus(client.serverStream({ count: 1 }), Code.Aborted, "rude");
      await assertStatus(client.unary({}), Code.Aborted, "rude");
    });
  }
});
