import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { Code } from "@connectrpc/connect";
import { assertStatus, createFakeClock } from "@tercel/grpc/testing";
import { collect, createOccasion, type Occasion } from "@tercel/test-support/async";
import { interceptedOn, openInMemory } from "../../test/support/open-echo.ts";
import { type ConcurrencyLimitOptions, createConcurrencyLimit } from "./index.ts";

/** An echo service whose handlers report their start, and end when the test says so; identified by the text of the request. */
async function openHeld(t: TestContext, options: ConcurrencyLimitOptions, side: "client" | "server") {
  const limit = createConcurrencyLimit(options);
  const begun = new Map<string, Occasion>();
  const ending = new Map<string, Occasion>();
  const order: string[] = [];
  const at = (map: Map<string, Occasion>, text: string): Occasion => {
    const known = map.get(text) ?? createOccasion();
    map.set(text, known);
    return known;
  };
  const hold = async ({ text }: { text: string }): Promise<void> => {
    order.push(text);
    at(begun, text).happen();
    await at(ending, text).happened;
  };
  const { client } = await openInMemory(
    t,
    {
      async unary(request) {
        await hold(request);
        return { text: request.text };
      },
      async *serverStream(request) {
        yield { text: request.text };
        await hold(request);
      },
    },
    interceptedOn(side, limit),
  );
  return {
    limit,
    client,
    order,
    begun: (text: string) => at(begun, text).happened,
    end: (text: string) => at(ending, text).happen(),
  };
}

/** Waits until everything that was sent in memory has arrived. */
async function until(condition: () => boolean): Promise<void> {
  for (let turns = 0; turns < 10_000 && !condition(); turns++) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(condition());
}

describe("concurrency limit", () => {
  for (const side of ["server", "client"] as const) {
    describe(`on the ${side}`, () => {
      it("runs as many calls as allowed, and rejects the next one without a queue", async (t) => {
        const held = await openHeld(t, { max: 2 }, side);
        const calls = [held.client.unary({ text: "a" }), held.client.unary({ text: "b" })];
        await Promise.all([held.begun("a"), held.begun("b")]);
        await assertStatus(
          held.client.unary({ text: "c" }),
          Code.ResourceExhausted,
          /^concurrency limit reached: 2 calls run/,
        );
        assert.deepEqual([held.limit.running(), held.limit.queued()], [2, 0]);
        held.end("a");
        await calls[0];
        const third = held.client.unary({ text: "d" });
        await held.begun("d");
        for (const text of ["b", "d"]) held.end(text);
        await Promise.all([...calls, third]);
        assert.equal(held.limit.running(), 0);
      });

      it("queues a limited number of calls in order, and rejects the rest", async (t) => {
        const held = await openHeld(t, { max: 1, maxQueued: 2 }, side);
        const first = held.client.unary({ text: "a" });
        await held.begun("a");
        const second = held.client.unary({ text: "b" });
        await until(() => held.limit.queued() === 1);
        const third = held.client.unary({ text: "c" });
        await until(() => held.limit.queued() === 2);
        await assertStatus(held.client.unary({ text: "d" }), Code.ResourceExhausted, /and 2 wait$/);
        for (const text of ["a", "b", "c"]) held.end(text);
        await Promise.all([first, second, third]);
        assert.deepEqual(held.order, ["a", "b", "c"]);
        assert.deepEqual([held.limit.running(), held.limit.queued()], [0, 0]);
      });

      it("counts a stream until its end", async (t) => {
        const held = await openHeld(t, { max: 1 }, side);
        const reading = collect(held.client.serverStream({ text: "a" }));
        await held.begun("a");
        await assertStatus(held.client.unary({ text: "b" }), Code.ResourceExhausted);
        held.end("a");
        assert.equal((await reading).length, 1);
        await until(() => held.limit.running() === 0);
      });

      it("removes a cancelled call from the queue", async (t) => {
        const held = await openHeld(t, { max: 1, maxQueued: 1 }, side);
        const first = held.client.unary({ text: "a" });
        await held.begun("a");
        const cancel = new AbortController();
        const waiting = assertStatus(held.client.unary({ text: "b" }, { signal: cancel.signal }), Code.Canceled);
        await until(() => held.limit.queued() === 1);
        cancel.abort();
        await waiting;
        await until(() => held.limit.queued() === 0);
        held.end("a");
        await first;
        assert.deepEqual(held.order, ["a"]);
      });
    });
  }

  it("rejects a call after maxWaitMs, not before", async (t) => {
    const clock = createFakeClock();
    const held = await openHeld(t, { max: 1, maxQueued: 1, maxWaitMs: 100, clock }, "client");
    const first = held.client.unary({ text: "a" });
    await held.begun("a");
    const waiting = assertStatus(held.client.unary({ text: "b" }), Code.ResourceExhausted, /waited 100 ms$/);
    await clock.advance(99);
    assert.equal(held.limit.queued(), 1);
    await clock.advance(1);
    await waiting;
    assert.equal(clock.pendingTimers, 0);
    held.end("a");
    await first;
  });

  it("limits keys separately, exempts calls without one, and drops unused keys", async (t) => {
    const held = await openHeld(
      t,
      { max: 1, keyOf: ({ method }) => (method.name === "ServerStream" ? undefined : method.name) },
      "client",
    );
    const unary = held.client.unary({ text: "a" });
    const streams = ["b", "c"].map((text) => collect(held.client.serverStream({ text })));
    await Promise.all(["a", "b", "c"].map(held.begun));
    assert.deepEqual([held.limit.running("Unary"), held.limit.running("ServerStream")], [1, 0]);
    for (const text of ["a", "b", "c"]) held.end(text);
    await Promise.all([unary, ...streams]);
    assert.equal(held.limit.running("Unary"), 0);
  });

  it("rejects invalid options", () => {
    assert.throws(
      () => createConcurrencyLimit({} as ConcurrencyLimitOptions),
      /max is missing; expected a whole number of at least 1/,
    );
    assert.throws(() => createConcurrencyLimit({ max: 0 }), /max is 0/);
    assert.throws(
      () => createConcurrencyLimit({ max: 1, maxQueue: 2 } as ConcurrencyLimitOptions),
      /did you mean "maxQueued"/,
    );
  });
});
