import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createServer } from "node:net";
import { describe, it } from "node:test";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createChannel } from "@tercel/grpc";
import { assertStatus, createFakeClock } from "@tercel/grpc/testing";
import { aborted, collect, createOccasion, quiet, settled, streamOf } from "@tercel/test-support/async";
import { EchoService } from "./gen/tercel/grpc/test/v1/echo_pb.ts";
import { type EchoHandlers, openInMemory, overBothTransports } from "./support/open-echo.ts";

/** Answers when the test says so, or never. */
function waitingHandlers() {
  const entered = createOccasion<AbortSignal>();
  const release = createOccasion();
  const handlers: EchoHandlers = {
    async unary(_request, context) {
      entered.happen(context.signal);
      await release.happened;
      return { text: "late" };
    },
    async *serverStream(_request, context) {
      yield { text: "first" };
      entered.happen(context.signal);
      await aborted(context.signal);
    },
  };
  return { entered: entered.happened, release: release.happen, handlers };
}

describe("deadlines", () => {
  overBothTransports((open) => {
    it("end a unary call at its time and not before", async (t) => {
      const clock = createFakeClock();
      const { entered, handlers, release } = waitingHandlers();
      const { client } = await open(t, handlers, { channel: { clock } });
      let isOver = false;
      const call = client.unary({}, { timeoutMs: 1000 });
      call.catch(() => {
        isOver = true;
      });
      await entered;
      await clock.advance(999);
      await quiet();
      assert.equal(isOver, false);
      // Deadlines share a timer that looks every 10 ms.
      await clock.advance(11);
      const where =
        /^the deadline has passed while waiting for the response of \S+ \(1\d\d\d ms: first byte 1\d\d\d\)$/;
      await assertStatus(call, Code.DeadlineExceeded, where);
      release();
    });

    it("are told of with where the call was, also when the server's word comes before the client's timer", async (t) => {
      for (const [waitedMs, message] of [
        [999, /^the server's$/],
        [1000, /^the deadline has passed while waiting for the response of /],
      ] as const) {
        const clock = createFakeClock();
        const entered = createOccasion();
        const release = createOccasion();
        const handlers: EchoHandlers = {
          async unary() {
            entered.happen();
            await release.happened;
            throw new ConnectError("the server's", Code.DeadlineExceeded, { "x-load": "high" });
          },
        };
        const { client } = await open(t, handlers, { channel: { clock } });
        // The timer looks every 10 ms, so it comes 5 ms behind the deadline.
        await clock.advance(5);
        const call = client.unary({}, { timeoutMs: 1000 });
        await entered.happened;
        await clock.advance(waitedMs);
        release.happen();
        const error = await assertStatus(call, Code.DeadlineExceeded, message);
        assert.equal(error.metadata.get("x-load"), "high");
      }
    });

    it("end a stream in the middle", async (t) => {
      const clock = createFakeClock();
      const { entered, handlers } = waitingHandlers();
      const { client } = await open(t, handlers, { channel: { clock } });
      const responses = client.serverStream({}, { timeoutMs: 500 })[Symbol.asyncIterator]();
      assert.equal((await responses.next()).value?.text, "first");
      await entered;
      const failing = assertStatus(responses.next(), Code.DeadlineExceeded);
      await clock.advance(510);
      await failing;
    });

    it("are enforced by the server, which aborts the handler's signal with the reason", async (t) => {
      const clock = createFakeClock();
      const { entered, handlers, release } = waitingHandlers();
      // Only the server's clock moves: the client's stands still, so what ends the call is the server's answer.
      const { client } = await open(t, handlers, { server: { clock }, channel: { clock: createFakeClock() } });
      const failing = assertStatus(
        client.unary({}, { timeoutMs: 60_000 }),
        Code.DeadlineExceeded,
        "the deadline has passed",
      );
      const signal = await entered;
      await clock.advance(59_999);
      assert.equal(signal.aborted, false);
      await clock.advance(11);
      const reason = await aborted(signal);
      assert.ok(reason instanceof ConnectError);
      assert.equal(reason.code, Code.DeadlineExceeded);
      await failing;
      release();
    });

    it("reach the handler as what is left of the time", async (t) => {
      const clock = createFakeClock();
      const seen: (number | undefined)[] = [];
      const { client } = await open(
        t,
        {
          async unary(_request, context) {
            seen.push(context.timeoutMs());
            await clock.advance(300);
            seen.push(context.timeoutMs());
            return {};
          },
        },
        // The client's stands still, so that waiting for the connection takes nothing off.
        { server: { clock }, channel: { clock: createFakeClock() } },
      );
      await client.unary({}, { timeoutMs: 1000 });
      await client.unary({});
      assert.deepEqual(seen, [1000, 700, undefined, undefined]);
    });

    it("may be fractions of a millisecond, which arrive rounded up to microseconds", async (t) => {
      const clock = createFakeClock();
      let seen: number | undefined;
      const { client } = await open(
        t,
        {
          unary(_request, context) {
            seen = context.timeoutMs();
            return {};
          },
        },
        // The client's stands still, so that waiting for the connection takes nothing off.
        { server: { clock }, channel: { clock: createFakeClock() } },
      );
      await client.unary({}, { timeoutMs: 1234.5678 });
      // The difference of two clock values near a million is exact to about a ten-millionth.
      assert.ok(seen !== undefined && Math.abs(seen - 1234.568) < 1e-6, String(seen));
    });

    it("come from the channel's default, which a call replaces, and zero or less switches off as in Connect", async (t) => {
      const clock = createFakeClock();
      const { client } = await open(
        t,
        { unary: (_request, context) => ({ count: context.timeoutMs() ?? -1 }) },
        { server: { clock }, channel: { defaultTimeoutMs: 5000, clock: createFakeClock() } },
      );
      assert.equal((await client.unary({})).count, 5000);
      assert.equal((await client.unary({}, { timeoutMs: 7000 })).count, 7000);
      assert.equal((await client.unary({}, { timeoutMs: 0 })).count, -1);
      assert.equal((await client.unary({}, { timeoutMs: -1 })).count, -1);
    });

    it("are cut to the server's longest time, which calls without one get", async (t) => {
      const clock = createFakeClock();
      const { client } = await open(
        t,
        { unary: (_request, context) => ({ count: context.timeoutMs() ?? -1 }) },
        { server: { clock, maxTimeoutMs: 2000 } },
      );
      assert.equal((await client.unary({})).count, 2000);
      assert.equal((await client.unary({}, { timeoutMs: 2001 })).count, 2000);
      assert.equal((await client.unary({}, { timeoutMs: 1999 })).count, 1999);
    });

    it("of months are kept, although a timer cannot hold them", async (t) => {
      const days = 24 * 60 * 60 * 1000;
      const { client } = await open(t, { unary: () => ({ text: "in time" }) });
      assert.equal((await client.unary({}, { timeoutMs: 90 * days })).text, "in time");
    });

    it("end a stream whose client reads nothing", async (t) => {
      const clock = createFakeClock();
      const ended = createOccasion<unknown>();
      // Nothing that gzip could make small.
      const payload = randomBytes(64 * 1024);
      let sent = 0;
      const { transport } = await open(
        t,
        {
          async *serverStream(_request, context) {
            context.signal.addEventListener("abort", () => ended.happen(context.signal.reason));
            for (;;) {
              sent++;
              yield { payload };
            }
          },
        },
        { server: { clock } },
      );
      const response = await transport.stream(
        EchoService.method.serverStream,
        undefined,
        60_000,
        undefined,
        streamOf({}),
      );
      await settled(() => sent, 16);
      await clock.advance(60_010);
      assert.equal(ConnectError.from(await ended.happened).code, Code.DeadlineExceeded);
      // What was on its way arrives; the status comes as a reset, for it could not be sent behind unread data.
      await assertStatus(response.message, Code.Canceled);
    });
  });

  it("count the wait for a connection, and then say what the call was waiting for", async () => {
    const clock = createFakeClock();
    // Accepts and says nothing, so the channel waits for SETTINGS.
    const silent = createServer((socket) => socket.on("error", () => {}).resume());
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as { port: number };
    const channel = createChannel(`127.0.0.1:${port}`, { clock, waitForReady: true });
    const client = createClient(EchoService, channel);
    const failing = assertStatus(
      client.unary({}, { timeoutMs: 100 }),
      Code.DeadlineExceeded,
      /^the deadline has passed while waiting for a connection to "127/,
    );
    await clock.advance(110);
    await failing;
    await channel.close();
    await new Promise((resolve) => silent.close(resolve));
  });

  it("leave no timer behind once the calls are over", async (t) => {
    const clock = createFakeClock();
    const { client } = await openInMemory(
      t,
      {
        unary: () => ({}),
        async *serverStream() {
          yield {};
        },
      },
      { channel: { clock, idleTimeoutMs: 0 } },
    );
    await client.unary({});
    const before = clock.pendingTimers;
    await Promise.all(Array.from({ length: 50 }, (_, at) => client.unary({}, { timeoutMs: 1000 + at })));
    await collect(client.serverStream({}, { timeoutMs: 1000 }));
    assert.equal(clock.pendingTimers, before);
  });
});
