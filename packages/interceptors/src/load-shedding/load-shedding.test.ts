import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code } from "@connectrpc/connect";
import { readErrorReason, readRetryAfterMs } from "@tercel/grpc/errors";
import { assertStatus, createFakeClock } from "@tercel/grpc/testing";
import { collect, createOccasion, quiet, streamOf } from "@tercel/test-support/async";
import { hostileValues } from "@tercel/test-support/hostile-values";
import { openInMemory, overBothTransports, recordingLog } from "../../test/support/open-echo.ts";
import { createLoadShedding, type LoadSheddingOptions, type LoopDelay } from "./index.ts";

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

/** Load shedding with a fixed limit of two, and a clock that stands still. */
function createFixed(options: LoadSheddingOptions = {}) {
  const loopDelay = createLoopDelay();
  const clock = createFakeClock();
  const fixed = { initialLimit: 2, minLimit: 2, maxLimit: 2 };
  const shedding = createLoadShedding({ ...fixed, clock, loopDelay, random: () => 0.5, ...options });
  return { shedding, loopDelay, clock };
}

/** A handler that reports the calls in the order of their start, and ends them when the test says so. */
function createHeld() {
  const begun: string[] = [];
  const endings = new Map<string, () => void>();
  return {
    begun,
    async unary({ text }: { text: string }) {
      begun.push(text);
      await new Promise<void>((resolve) => endings.set(text, resolve));
      return { text };
    },
    async end(text: string) {
      endings.get(text)?.();
      await quiet();
    },
  };
}

describe("load shedding", () => {
  overBothTransports((open) => {
    it("runs 500 concurrent calls on a new server, and rejects none", async (t) => {
      // The clock stands still, so that the speed of the machine does not matter.
      const shedding = createLoadShedding({ loopDelay: createLoopDelay(), clock: createFakeClock() });
      const { client } = await open(
        t,
        {
          async unary() {
            await new Promise((resolve) => setImmediate(resolve));
            return {};
          },
        },
        { server: { interceptors: [shedding] } },
      );
      await Promise.all(Array.from({ length: 500 }, () => client.unary({})));
      assert.deepEqual([shedding.running, shedding.queued, shedding.refused], [0, 0, 0]);
    });

    it("queues calls over the limit in order, and rejects the rest with the reason and a retry delay", async (t) => {
      const { shedding } = createFixed({ maxQueued: 2, methods: { [`${echo}/*`]: "critical" } });
      const held = createHeld();
      const { client } = await open(t, { unary: held.unary }, { server: { interceptors: [shedding] } });
      const calls: Promise<unknown>[] = [];
      for (const text of ["a", "b", "c", "d"]) {
        calls.push(client.unary({ text }));
        while (shedding.running + shedding.queued < calls.length) await quiet();
      }
      assert.deepEqual([shedding.running, shedding.queued, held.begun], [2, 2, ["a", "b"]]);
      const text =
        /^not run: the server is overloaded \(too many calls wait; 2 of at most 2 calls of the method run, and 2 wait\)/;
      const error = await assertStatus(client.unary({}), Code.Unavailable, text);
      assert.equal(readRetryAfterMs(error), 1500);
      assert.equal(readErrorReason(error)?.reason, "OVERLOADED");
      const { method, limit, running, queued } = shedding.methods()[0] ?? {};
      assert.deepEqual([method, limit, running, queued], [`${echo}/Unary`, 2, 2, 2]);
      for (const name of ["b", "a", "c", "d"]) {
        while (!held.begun.includes(name)) await quiet();
        await held.end(name);
      }
      await Promise.all(calls);
      assert.deepEqual(held.begun, ["a", "b", "c", "d"]);
      assert.deepEqual([shedding.running, shedding.queued, shedding.refused], [0, 0, 1]);
    });
  });

  it("rejects a call after maxWaitMs, not before", async (t) => {
    const { shedding, clock } = createFixed();
    const held = createHeld();
    const { client } = await openInMemory(t, { unary: held.unary }, { server: { interceptors: [shedding] } });
    const calls = ["a", "b"].map((text) => client.unary({ text }));
    await quiet();
    const late = assertStatus(client.unary({ text: "c" }), Code.Unavailable, /waited 1000 ms/);
    await quiet();
    await clock.advance(999);
    assert.equal(shedding.queued, 1);
    await clock.advance(1);
    await late;
    assert.equal(shedding.queued, 0);
    for (const text of ["a", "b"]) await held.end(text);
    await Promise.all(calls);
    assert.deepEqual([held.begun, clock.pendingTimers], [["a", "b"], 0]);
  });

  it("removes a waiting call from the queue when it is cancelled or its deadline passes", async (t) => {
    const { shedding, clock } = createFixed();
    const held = createHeld();
    const { client } = await openInMemory(
      t,
      { unary: held.unary },
      { server: { interceptors: [shedding], clock }, channel: { clock } },
    );
    const calls = ["a", "b"].map((text) => client.unary({ text }));
    await quiet();
    const abort = new AbortController();
    const cancelled = assertStatus(client.unary({ text: "c" }, { signal: abort.signal }), Code.Canceled);
    const expired = assertStatus(client.unary({ text: "d" }, { timeoutMs: 50 }), Code.DeadlineExceeded);
    await quiet();
    assert.equal(shedding.queued, 2);
    abort.abort();
    await cancelled;
    await quiet();
    assert.equal(shedding.queued, 1);
    await clock.advance(200);
    await expired;
    assert.equal(shedding.queued, 0);
    for (const text of ["a", "b"]) await held.end(text);
    await Promise.all(calls);
    assert.deepEqual([held.begun, shedding.refused], [["a", "b"], 0]);
  });

  it("paces calls while the event loop is late, except critical and exempt ones, with low ones last", async (t) => {
    const { shedding, loopDelay, clock } = createFixed({
      initialLimit: 100,
      maxLimit: 100,
      windowMs: 100,
      maxLoopDelayMs: 50,
      methods: { [`${other}/*`]: "critical", [`${echo}/ServerStream`]: "exempt", [`${echo}/ClientStream`]: "low" },
    });
    const begun: string[] = [];
    const { client, other: critical } = await openInMemory(
      t,
      {
        unary: ({ text }) => {
          begun.push(`${text} with ${shedding.queued} waiting`);
          return {};
        },
        async *serverStream() {
          begun.push("exempt");
          yield {};
        },
        async clientStream() {
          begun.push("low");
          return {};
        },
      },
      {
        server: { interceptors: [shedding] },
        other: {
          unary: () => {
            begun.push("critical");
            return {};
          },
        },
      },
    );
    loopDelay.meanMs = 50;
    await clock.advance(100);
    await client.unary({ text: "at once" });
    loopDelay.meanMs = 51;
    await clock.advance(99);
    await client.unary({ text: "at once" });
    await clock.advance(1);
    assert.deepEqual(begun.splice(0), ["at once with 0 waiting", "at once with 0 waiting"]);
    const calls = [
      client.clientStream(streamOf({})),
      ...Array.from({ length: 30 }, (_, at) => client.unary({ text: `${at}` })),
      critical.unary({}),
      collect(client.serverStream({})),
    ];
    await Promise.all(calls);
    assert.deepEqual(begun.slice(0, 2).toSorted(), ["critical", "exempt"]);
    assert.equal(begun.at(-1), "low");
    // Only as many as fit into a turn: the others wait for the next one.
    const waiting = begun.filter((what) => what.includes("waiting")).map((what) => Number(what.split(" ")[2]));
    assert.deepEqual(
      waiting,
      waiting.toSorted((a, b) => b - a),
    );
    assert.ok(new Set(waiting).size > 1, waiting.join());
    loopDelay.meanMs = 0;
    await clock.advance(100);
    await client.unary({ text: "the last paced" });
    await client.unary({ text: "at once" });
    assert.equal(begun.at(-1), "at once with 0 waiting");
    shedding.close();
    assert.equal(loopDelay.stopped, true);
    assert.deepEqual([shedding.running, shedding.queued, shedding.refused], [0, 0, 0]);
  });

  for (const [priority, room] of [
    ["critical", 10],
    ["normal", 9],
    ["low", 6],
  ] as const) {
    it(`allows ${priority} calls to fill ${room} tenths of the queue`, async (t) => {
      const { shedding } = createFixed({ maxQueued: 10, methods: { [`${echo}/*`]: priority } });
      const go = createOccasion();
      const { client } = await openInMemory(
        t,
        {
          async unary() {
            await go.happened;
            return {};
          },
        },
        { server: { interceptors: [shedding] } },
      );
      const calls = Array.from({ length: 2 + room }, () => client.unary({}));
      await quiet();
      assert.deepEqual([shedding.running, shedding.queued], [2, room]);
      await assertStatus(client.unary({}), Code.Unavailable, /too many calls wait/);
      go.happen();
      await Promise.all(calls);
      assert.deepEqual([shedding.running, shedding.queued, shedding.refused], [0, 0, 1]);
    });
  }

  it("does not count open streams, and has a limit for each method", async (t) => {
    const { shedding } = createFixed({ maxQueued: 0 });
    const held = createHeld();
    const go = createOccasion();
    const { client, other: another } = await openInMemory(
      t,
      {
        unary: held.unary,
        async *serverStream() {
          yield {};
          await go.happened;
        },
      },
      { server: { interceptors: [shedding] }, other: { unary: () => ({}) } },
    );
    const streams = [1, 2, 3].map(() => client.serverStream({})[Symbol.asyncIterator]());
    for (const stream of streams) await stream.next();
    const calls = ["a", "b"].map((text) => client.unary({ text }));
    await quiet();
    await assertStatus(client.unary({}), Code.Unavailable);
    await another.unary({});
    assert.equal(shedding.running, 2);
    for (const text of ["a", "b"]) await held.end(text);
    await Promise.all(calls);
    go.happen();
    for (const stream of streams) assert.equal((await stream.next()).done, true);
  });

  it("releases the capacity of a failed call, whatever it throws", async (t) => {
    const { shedding } = createFixed({ maxQueued: 0 });
    const made = Object.values(hostileValues);
    const { client } = await openInMemory(
      t,
      {
        unary({ count }) {
          throw made[count]?.();
        },
      },
      { server: { interceptors: [shedding], log: recordingLog().log } },
    );
    for (let count = 0; count < made.length; count++) await assertStatus(client.unary({ count }), Code.Internal);
    assert.deepEqual([shedding.running, shedding.refused], [0, 0]);
  });

  it("rejects invalid options", () => {
    assert.throws(() => createLoadShedding({ maxWaitMs: 0 }), /maxWaitMs is 0/);
    assert.throws(() => createLoadShedding({ overloadedWaitMs: 0.5 }), /overloadedWaitMs is 0.5/);
    assert.throws(() => createLoadShedding({ maxQueued: -1 }), /maxQueued is -1/);
    assert.throws(() => createLoadShedding({ minLimit: 6, maxLimit: 5 }), /more than maxLimit, 5/);
    assert.throws(
      () => createLoadShedding({ methods: { [`${echo}/*`]: "high" as "low" } }),
      /is "high"; expected one of critical/,
    );
    assert.throws(() => createLoadShedding({ maxQueue: 5 } as object), /did you mean "maxQueued"/);
  });
});
