import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { assertStatus, createFakeClock, createInMemoryTransport } from "@tercel/grpc/testing";
import { aborted, collect, createOccasion, streamOf, turn } from "@tercel/test-support/async";
import { EchoService } from "./gen/tercel/grpc/test/v1/echo_pb.ts";
import { type EchoHandlers, echoRoutes, overBothTransports } from "./support/open-echo.ts";

describe("cancellation", () => {
  overBothTransports((open) => {
    it("by the client's signal ends the call at once and aborts the handler's signal", async (t) => {
      const entered = createOccasion<AbortSignal>();
      const { client } = await open(t, {
        async unary(_request, context) {
          entered.happen(context.signal);
          await aborted(context.signal);
          throw new Error("no one hears this");
        },
      });
      const controller = new AbortController();
      const call = client.unary({}, { signal: controller.signal });
      const handlerSignal = await entered.happened;
      controller.abort();
      await assertStatus(call, Code.Canceled);
      const reason = await aborted(handlerSignal);
      assert.ok(reason instanceof ConnectError);
      assert.equal(reason.code, Code.Canceled);
    });

    it("aborts a signal that the handler asks for only afterwards", async (t) => {
      const entered = createOccasion();
      const cancelled = createOccasion();
      const seen = createOccasion<boolean>();
      const { client } = await open(t, {
        async unary(_request, context) {
          entered.happen();
          await cancelled.happened;
          seen.happen(context.signal.aborted);
          return {};
        },
        clientStream: async () => ({}),
      });
      const controller = new AbortController();
      const call = client.unary({}, { signal: controller.signal });
      await entered.happened;
      controller.abort();
      await assertStatus(call, Code.Canceled);
      // The reset goes before this call, so it has arrived when the call is answered.
      await client.clientStream(streamOf());
      cancelled.happen();
      assert.equal(await seen.happened, true);
    });

    it("before the call begins sends nothing", async (t) => {
      let calls = 0;
      const { client } = await open(t, {
        unary() {
          calls++;
          return {};
        },
      });
      await assertStatus(client.unary({}, { signal: AbortSignal.abort() }), Code.Canceled);
      await assertStatus(client.serverStream({}, { signal: AbortSignal.abort() }), Code.Canceled);
      await client.unary({});
      assert.equal(calls, 1);
    });

    it("keeps a reason that is a ConnectError, and takes a time-out's signal for a deadline", async (t) => {
      const { client } = await open(t, { unary: (_request, context) => aborted(context.signal).then(() => ({})) });
      const given = new ConnectError("changed my mind", Code.Aborted);
      assert.equal(await client.unary({}, { signal: AbortSignal.abort(given) }).catch((error) => error), given);
      await assertStatus(client.unary({}, { signal: AbortSignal.abort("a text") }), Code.Canceled, "a text");
      await assertStatus(client.unary({}, { signal: AbortSignal.timeout(1) }), Code.DeadlineExceeded);
    });

    it("takes its listener off the caller's signal when the call ends", async (t) => {
      const { client } = await open(t, { unary: () => ({}) });
      const { signal } = new AbortController();
      let listeners = 0;
      const add = signal.addEventListener.bind(signal);
      const remove = signal.removeEventListener.bind(signal);
      signal.addEventListener = ((...given: Parameters<typeof add>) => {
        listeners++;
        add(...given);
      }) as typeof add;
      signal.removeEventListener = ((...given: Parameters<typeof remove>) => {
        listeners--;
        remove(...given);
      }) as typeof remove;
      const pending = client.unary({}, { signal });
      await turn();
      assert.equal(listeners, 1);
      await pending;
      assert.equal(listeners, 0);
    });

    it("ends the stream that a handler is sending, which leaves its generator by the way of finally", async (t) => {
      const left = createOccasion();
      const { client } = await open(t, {
        async *serverStream() {
          try {
            for (let at = 0; ; at++) {
              yield { count: at };
              await turn();
            }
          } finally {
            left.happen();
          }
        },
      });
      const controller = new AbortController();
      const responses = client.serverStream({}, { signal: controller.signal })[Symbol.asyncIterator]();
      await responses.next();
      controller.abort();
      await assertStatus({ [Symbol.asyncIterator]: () => responses }, Code.Canceled);
      await left.happened;
    });

    it("happens when the response's iterator is returned early", async (t) => {
      const cancelled = createOccasion<unknown>();
      const { transport } = await open(t, {
        async *serverStream(_request, context) {
          context.signal.addEventListener("abort", () => cancelled.happen(context.signal.reason));
          yield { text: "one" };
          await aborted(context.signal);
        },
      });
      const { method } = EchoService;
      const response = await transport.stream(method.serverStream, undefined, undefined, undefined, streamOf({}));
      for await (const message of response.message) {
        assert.equal(message.text, "one");
        break;
      }
      assert.equal(ConnectError.from(await cancelled.happened).code, Code.Canceled);
      assert.deepEqual(await collect(response.message), []);
    });

    it("reaches a handler that waits for the next request", async (t) => {
      const failure = createOccasion<unknown>();
      const { client } = await open(t, {
        async clientStream(requests) {
          try {
            await collect(requests);
          } catch (error) {
            failure.happen(error);
          }
          return {};
        },
      });
      const controller = new AbortController();
      const first = createOccasion();
      async function* requests() {
        yield {};
        first.happen();
        await aborted(controller.signal);
      }
      const call = client.clientStream(requests(), { signal: controller.signal });
      await first.happened;
      controller.abort();
      await assertStatus(call, Code.Canceled);
      assert.equal(ConnectError.from(await failure.happened).code, Code.Canceled);
    });

    it("is what an error in the client's request generator comes to, with the error as cause", async (t) => {
      const cancelled = createOccasion();
      const { client } = await open(t, {
        async clientStream(_requests, context) {
          await aborted(context.signal);
          cancelled.happen();
          return {};
        },
      });
      const broken = new Error("no more paper");
      async function* requests() {
        yield {};
        throw broken;
      }
      const error = await assertStatus(client.clientStream(requests()), Code.Unknown, "no more paper");
      assert.equal(error.cause, broken);
      await cancelled.happened;
    });

    it("survives a request iterator whose return throws at once", async (t) => {
      const clock = createFakeClock();
      const entered = createOccasion();
      const { client } = await open(
        t,
        {
          async clientStream(_requests, context) {
            entered.happen();
            await aborted(context.signal);
            return {};
          },
        },
        { channel: { clock } },
      );
      const requests = {
        [Symbol.asyncIterator]: () => ({
          next: () => new Promise<never>(() => {}),
          return() {
            throw new Error("thrown at once");
          },
        }),
      };
      const failing = assertStatus(client.clientStream(requests, { timeoutMs: 100 }), Code.DeadlineExceeded);
      await entered.happened;
      // From a timer, what is thrown would end the process.
      await clock.advance(110);
      await failing;
    });

    it("by the server's error in mid-stream brings the messages before it and then the error", async (t) => {
      const { client } = await open(t, {
        async *serverStream() {
          yield { count: 1 };
          yield { count: 2 };
          throw new ConnectError("out of pages", Code.OutOfRange);
        },
      });
      const seen: number[] = [];
      const reading = (async () => {
        for await (const response of client.serverStream({})) seen.push(response.count);
      })();
      await assertStatus(reading, Code.OutOfRange, "out of pages");
      assert.deepEqual(seen, [1, 2]);
    });
  });

  it("is no clean end: a connection lost in the middle fails unary calls and streams with Unavailable", async () => {
    const entered = createOccasion();
    const handlerReason = createOccasion<unknown>();
    const handlers: EchoHandlers = {
      unary: () => new Promise(() => {}),
      async *serverStream(_request, context) {
        context.signal.addEventListener("abort", () => handlerReason.happen(context.signal.reason));
        yield { text: "first" };
        entered.happen();
        await aborted(context.signal);
      },
    };
    const transport = createInMemoryTransport({
      routes: echoRoutes({ ...handlers, clientStream: async () => ({ text: "again" }) }),
    });
    const client = createClient(EchoService, transport);
    const waiting = client.unary({});
    const responses = client.serverStream({})[Symbol.asyncIterator]();
    assert.equal((await responses.next()).value?.text, "first");
    await entered.happened;
    transport.cutConnections();
    await assertStatus(waiting, Code.Unavailable);
    await assertStatus(responses.next(), Code.Unavailable);
    assert.equal(ConnectError.from(await handlerReason.happened).rawMessage, "the peer closed the connection");
    // The channel connects again with the next call.
    assert.equal((await client.clientStream(streamOf())).text, "again");
    await transport.close({ deadlineMs: 0 });
  });
});
