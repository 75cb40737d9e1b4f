import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code } from "@connectrpc/connect";
import { readErrorReason, readRetryAfterMs } from "@tercel/grpc/errors";
import { assertStatus, createFakeClock } from "@tercel/grpc/testing";
import { collect, createOccasion } from "@tercel/test-support/async";
import { openInMemory, overBothTransports } from "../../test/support/open-echo.ts";
import { createLoadShedding, type LoadSheddingOptions, type LoopDelay } from "./index.ts";
import { measureLoopDelay } from "./loop-delay.ts";

const echo = "tercel.interceptors.test.v1.EchoService";
const other = "tercel.interceptors.test.v1.OtherService";

function createLoopDelay(): LoopDelay & { meanMs: number; stopped: boolean } {
  return {
    meanMs: 0,
    stopped: false,
    takeMeanMs() {
      return this.meanMs;
    },
    stop() {
      this.stopped = true;
    },
  };
}

/** A shedder with a fixed limit of ten. */
function createFixed(options: LoadSheddingOptions = {}) {
  const loopDelay = createLoopDelay();
  const shedding = createLoadShedding({
    initialLimit: 10,
    minLimit: 10,
    maxLimit: 10,
    loopDelay,
    random: () => 0.5,
    ...options,
  });
  return { shedding, loopDelay };
}

describe("load shedding", () => {
  overBothTransports((open) => {
    for (const [priority, expected] of [
      ["critical", 10],
      ["normal", 9],
      ["low", 6],
    ] as const) {
      it(`lets ${expected} of 10 ${priority} calls run, refuses the next, and says when to come again`, async (t) => {
        const { shedding } = createFixed({ priorities: { [`${echo}/Unary`]: priority } });
        const go = createOccasion();
        const full = createOccasion();
        let running = 0;
        const { client } = await open(
          t,
          {
            async unary() {
              if (++running === expected) full.happen();
              await go.happened;
              return {};
            },
          },
          { server: { interceptors: [shedding.interceptor] } },
        );
        const calls = Array.from({ length: expected }, () => client.unary({}));
        await full.happened;
        const error = await assertStatus(client.unary({}), Code.Unavailable, /^not run: .* of at most 10\)$/);
        assert.equal(readRetryAfterMs(error), 1500);
        assert.equal(readErrorReason(error)?.reason, "OVERLOADED");
        assert.deepEqual([shedding.running, shedding.refused, running], [expected, 1, expected]);
        go.happen();
        await Promise.all(calls);
        assert.equal(shedding.running, 0);
        await client.unary({});
      });
    }
  });

  it("lets only critical and exempt calls in while the event loop is late", async (t) => {
    const clock = createFakeClock();
    const { shedding, loopDelay } = createFixed({
      clock,
      windowMs: 100,
      maxLoopDelayMs: 50,
      priorities: { [other]: "critical", [`${echo}/ServerStream`]: "exempt" },
    });
    const { client, other: critical } = await openInMemory(
      t,
      {
        unary: () => ({}),
        async *serverStream() {
          yield {};
        },
      },
      { server: { interceptors: [shedding.interceptor] }, other: { unary: () => ({}) } },
    );
    loopDelay.meanMs = 50;
    await clock.advance(100);
    await client.unary({});
    loopDelay.meanMs = 51;
    await clock.advance(99);
    await client.unary({});
    await clock.advance(1);
    await assertStatus(client.unary({}), Code.Unavailable, /event loop is late/);
    await critical.unary({});
    await collect(client.serverStream({}));
    loopDelay.meanMs = 0;
    await clock.advance(100);
    await client.unary({});
    shedding.close();
    assert.equal(loopDelay.stopped, true);
  });

  it("does not count open streams, but refuses new ones when it is full", async (t) => {
    const { shedding } = createFixed({ initialLimit: 1, minLimit: 1, maxLimit: 1 });
    const go = createOccasion();
    const entered = createOccasion();
    const { client } = await openInMemory(
      t,
      {
        async unary() {
          entered.happen();
          await go.happened;
          return {};
        },
        async *serverStream() {
          yield {};
          await go.happened;
        },
      },
      { server: { interceptors: [shedding.interceptor] } },
    );
    const stream = client.serverStream({})[Symbol.asyncIterator]();
    await stream.next();
    const call = client.unary({});
    await entered.happened;
    await assertStatus(client.serverStream({}), Code.Unavailable, /^not run/);
    go.happen();
    await call;
    assert.equal((await stream.next()).done, true);
  });

  it("lowers its limit when calls become slow", async (t) => {
    const clock = createFakeClock();
    let takesMs = 10;
    const shedding = createLoadShedding({ clock, loopDelay: createLoopDelay(), windowMs: 1000 });
    const { client } = await openInMemory(
      t,
      {
        async unary() {
          await clock.advance(takesMs);
          return {};
        },
      },
      { server: { interceptors: [shedding.interceptor] } },
    );
    for (let call = 0; call < 100; call++) await client.unary({});
    assert.equal(shedding.limit, 50);
    takesMs = 100;
    for (let call = 0; call < 100; call++) await client.unary({});
    assert.ok(shedding.limit < 40, String(shedding.limit));
  });

  it("measures the event loop", async () => {
    const delay = measureLoopDelay();
    delay.takeMeanMs();
    await new Promise((resolve) => setTimeout(resolve, 40));
    const blocked = performance.now() + 300;
    while (performance.now() < blocked);
    await new Promise((resolve) => setTimeout(resolve, 40));
    const meanMs = delay.takeMeanMs();
    delay.stop();
    assert.ok(meanMs > 20, String(meanMs));
  });

  it("refuses options that cannot be meant", () => {
    assert.throws(() => createLoadShedding({ tolerance: 0.9 }), /tolerance is 0.9/);
    assert.throws(() => createLoadShedding({ minLimit: 6, maxLimit: 5 }), /more than maxLimit, 5/);
    assert.throws(() => createLoadShedding({ priorities: { [echo]: "high" as "low" } }), /there are critical/);
    assert.throws(() => createLoadShedding({ limit: 5 } as object), /unknown option "limit"/);
  });
});
