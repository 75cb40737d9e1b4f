import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code, createContextValues, type Interceptor } from "@connectrpc/connect";
import { maxCallTimeoutMs } from "@tercel/grpc/hooks";
import { assertStatus, createFakeClock } from "@tercel/grpc/testing";
import { aborted, collect, createOccasion, streamOf } from "@tercel/test-support/async";
import { openInMemory, overBothTransports } from "../../test/support/open-echo.ts";
import {
  createClientDeadline,
  createServerDeadline,
  currentDeadline,
  currentSignal,
  remainingMs,
  type ServerDeadlineOptions,
  withoutDeadline,
} from "./index.ts";

const service = "tercel.interceptors.test.v1.EchoService";

describe("server deadline", () => {
  it("uses limits that change between calls", async (t) => {
    const clock = createFakeClock();
    let limits: { defaultMs?: number; maxMs?: number } = {};
    const live = {
      get defaultMs() {
        return limits.defaultMs as number;
      },
      get maxMs() {
        return limits.maxMs as number;
      },
    };
    const interceptor = createServerDeadline({ methods: { "*": live } });
    const seen: unknown[] = [];
    const { client } = await openInMemory(
      t,
      {
        unary(_request, context) {
          seen.push(context.timeoutMs());
          return {};
        },
      },
      { server: { clock, interceptors: [interceptor] }, channel: { clock } },
    );
    for (const next of [{}, { defaultMs: 400 }, { defaultMs: 200, maxMs: 300 }, {}]) {
      limits = next;
      await client.unary({});
      await client.unary({}, { timeoutMs: 350 });
    }
    assert.deepEqual(seen, [undefined, 350, 400, 350, 200, 300, undefined, 350]);
  });

  const cases: readonly [string, ServerDeadlineOptions, number | undefined, number | undefined][] = [
    ["leaves a call alone where nothing is set", {}, undefined, undefined],
    ["gives the default to a call without one", { defaultMs: 400, maxMs: 900 }, undefined, 400],
    ["gives the ceiling where there is no default", { maxMs: 900 }, undefined, 900],
    ["leaves a deadline below the ceiling, though above the default", { defaultMs: 400, maxMs: 900 }, 899, 899],
    ["lowers a deadline above the ceiling", { maxMs: 900 }, 901, 900],
    ["does not lower a deadline to the default", { defaultMs: 400 }, 5000, 5000],
    [
      "prefers a method's limits to its service's",
      { methods: { [`${service}/*`]: { maxMs: 5 }, [`${service}/Unary`]: { maxMs: 7 } } },
      50,
      7,
    ],
    [
      "prefers a service's limits to the general ones",
      { maxMs: 5, methods: { [`${service}/*`]: { maxMs: 8 } } },
      50,
      8,
    ],
    [
      "frees a method whose limits are empty",
      { defaultMs: 5, methods: { [`${service}/Unary`]: {} } },
      undefined,
      undefined,
    ],
  ];
  for (const [promise, options, timeoutMs, expected] of cases) {
    it(promise, async (t) => {
      const clock = createFakeClock();
      const seen: unknown[] = [];
      const { client } = await openInMemory(
        t,
        {
          unary(_request, context) {
            seen.push(context.timeoutMs(), remainingMs());
            return {};
          },
        },
        { server: { clock, interceptors: [createServerDeadline(options)] }, channel: { clock } },
      );
      await client.unary({}, timeoutMs === undefined ? {} : { timeoutMs });
      assert.deepEqual(seen, [expected, expected]);
    });
  }

  it("ends a call at its deadline, not before, and aborts the handler's signal", async (t) => {
    const clock = createFakeClock();
    const entered = createOccasion();
    const left = createOccasion<unknown>();
    const { client } = await openInMemory(
      t,
      {
        async unary() {
          entered.happen();
          left.happen(await aborted(currentSignal() as AbortSignal));
          return {};
        },
      },
      { server: { clock, interceptors: [createServerDeadline({ defaultMs: 500 })] } },
    );
    let isOver = false;
    const call = assertStatus(client.unary({}), Code.DeadlineExceeded).finally(() => {
      isOver = true;
    });
    await entered.happened;
    await clock.advance(499);
    assert.equal(isOver, false);
    await clock.advance(11);
    await call;
    assert.match(String(await left.happened), /deadline_exceeded/);
  });

  it("is available in streams of all kinds, in each step", async (t) => {
    const clock = createFakeClock();
    const { client } = await openInMemory(
      t,
      {
        async *serverStream() {
          yield { count: remainingMs() ?? -1 };
          await Promise.resolve();
          yield { count: remainingMs() ?? -1 };
        },
        async clientStream(requests) {
          for await (const _request of requests);
          return { count: remainingMs() ?? -1 };
        },
        async *bidi(requests) {
          for await (const _request of requests) yield { count: remainingMs() ?? -1 };
        },
      },
      { server: { clock, interceptors: [createServerDeadline({ defaultMs: 300 })] }, channel: { clock } },
    );
    const counts = async (responses: AsyncIterable<{ count: number }>) =>
      (await collect(responses)).map(({ count }) => count);
    assert.deepEqual(await counts(client.serverStream({})), [300, 300]);
    assert.equal((await client.clientStream(streamOf({}, {}))).count, 300);
    assert.deepEqual(await counts(client.bidi(streamOf({}, {}))), [300, 300]);
  });

  it("returns the deadline by the wall clock, and undefined outside of calls or without a deadline", async (t) => {
    assert.deepEqual([currentDeadline(), currentSignal(), remainingMs()], [undefined, undefined, undefined]);
    const clock = createFakeClock();
    const { client } = await openInMemory(
      t,
      {
        unary() {
          const untilMs = (currentDeadline()?.getTime() ?? 0) - Date.now();
          assert.ok(untilMs > 59_000 && untilMs <= 60_000, String(untilMs));
          assert.deepEqual(
            withoutDeadline(() => [currentDeadline(), currentSignal(), remainingMs()]),
            [undefined, undefined, undefined],
          );
          return {};
        },
      },
      { server: { clock, interceptors: [createServerDeadline({ defaultMs: 60_000 })] } },
    );
    await client.unary({});
  });

  it("rejects invalid options", () => {
    assert.throws(() => createServerDeadline({ defaultMS: 5 } as ServerDeadlineOptions), /did you mean "defaultMs"/);
    assert.throws(
      () => createServerDeadline({ methods: { [`${service}/*`]: { max: 5 } as object } }),
      /did you mean "maxMs"/,
    );
    assert.throws(() => createServerDeadline({ maxMs: 0 }), /maxMs is 0/);
    assert.throws(() => createServerDeadline({ defaultMs: 6, maxMs: 5 }), /more than maxMs, 5/);
    assert.throws(
      () => createServerDeadline({ methods: { "/a.B/C": {} } }),
      /methods has "\/a\.B\/C"; expected "package\.Service\/Method"/,
    );
  });
});

describe("client deadline", () => {
  overBothTransports((open) => {
    it("propagates the remaining time minus the reserve, unless the call's own timeout is shorter", async (t) => {
      const clock = createFakeClock();
      const given: (number | undefined)[] = [];
      const inner = await open(
        t,
        {
          unary(_request, context) {
            given.push(context.timeoutMs());
            return {};
          },
          async *serverStream(_request, context) {
            given.push(context.timeoutMs());
            yield {};
          },
        },
        { server: { clock }, channel: { clock, interceptors: [createClientDeadline({ reserveMs: 20 })] } },
      );
      const outer = await open(
        t,
        {
          async unary() {
            await inner.client.unary({});
            await inner.client.unary({}, { timeoutMs: 50 });
            await clock.advance(100);
            await collect(inner.client.serverStream({}, { timeoutMs: 5000 }));
            return {};
          },
        },
        { server: { clock, interceptors: [createServerDeadline({ defaultMs: 300 })] } },
      );
      await outer.client.unary({});
      await inner.client.unary({});
      assert.deepEqual(given, [280, 50, 180, undefined]);
    });

    it("cancels outgoing calls when the handler's own call is cancelled", async (t) => {
      const entered = createOccasion();
      const left = createOccasion();
      const inner = await open(
        t,
        {
          async unary(_request, context) {
            entered.happen();
            await aborted(context.signal);
            left.happen();
            return {};
          },
        },
        { channel: { interceptors: [createClientDeadline()] } },
      );
      const outer = await open(
        t,
        { unary: async () => inner.client.unary({}) },
        { server: { interceptors: [createServerDeadline()] } },
      );
      const cancel = new AbortController();
      const call = assertStatus(outer.client.unary({}, { signal: cancel.signal }), Code.Canceled);
      await entered.happened;
      cancel.abort();
      await Promise.all([call, left.happened]);
    });
  });

  for (const [promise, reserveMs, isStarted] of [
    ["starts a call that has a millisecond left", 299, true],
    ["does not start a call that has none left", 300, false],
  ] as const) {
    it(promise, async (t) => {
      const clock = createFakeClock();
      let started = 0;
      const counting: Interceptor = (next) => (request) => {
        started++;
        return next(request);
      };
      const inner = await openInMemory(
        t,
        { unary: () => ({}) },
        { server: { clock }, channel: { clock, interceptors: [createClientDeadline({ reserveMs }), counting] } },
      );
      const outer = await openInMemory(
        t,
        {
          async unary() {
            if (isStarted) await inner.client.unary({});
            else
              await assertStatus(
                inner.client.unary({}),
                Code.DeadlineExceeded,
                /the handler's own call has 300 ms left, and 300 ms are reserved/,
              );
            return {};
          },
        },
        { server: { clock, interceptors: [createServerDeadline({ defaultMs: 300 })] }, channel: { clock } },
      );
      await outer.client.unary({});
      assert.equal(started, isStarted ? 1 : 0);
    });
  }

  it("starts no call after the handler's own call has ended, except in withoutDeadline", async (t) => {
    const inner = await openInMemory(
      t,
      { unary: () => ({ text: "done" }) },
      { channel: { interceptors: [createClientDeadline()] } },
    );
    const answered = createOccasion();
    const late = createOccasion<Promise<unknown>>();
    const letGo = createOccasion<Promise<unknown>>();
    const outer = await openInMemory(
      t,
      {
        unary() {
          void answered.happened.then(() =>
            late.happen(assertStatus(inner.client.unary({}), Code.Canceled, /withoutDeadline/)),
          );
          withoutDeadline(() => {
            void answered.happened.then(() => letGo.happen(inner.client.unary({})));
          });
          return {};
        },
      },
      { server: { interceptors: [createServerDeadline()] } },
    );
    await outer.client.unary({});
    answered.happen();
    await await late.happened;
    await await letGo.happened;
  });

  it("does not change the caller's context values", async (t) => {
    const inner = await openInMemory(t, { unary: () => ({}) }, { channel: { interceptors: [createClientDeadline()] } });
    const contextValues = createContextValues();
    const outer = await openInMemory(
      t,
      { unary: async () => inner.client.unary({}, { contextValues }) },
      { server: { interceptors: [createServerDeadline({ defaultMs: 10_000 })] } },
    );
    await outer.client.unary({});
    assert.equal(contextValues.get(maxCallTimeoutMs), undefined);
  });

  it("rejects invalid options", () => {
    assert.throws(() => createClientDeadline({ reserveMs: -1 }), /reserveMs is -1/);
    assert.throws(() => createClientDeadline({ reservesMs: 1 } as object), /did you mean "reserveMs"/);
  });
});
