// gRFC A51: what a server tells of its load, in the trailers of calls and in streams of their own.
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { Code, ConnectError, createClient, encodeBinaryHeader } from "@connectrpc/connect";
import { createLoadReporting, type LoadMetrics, readCallMetrics, recordCallMetrics } from "@tercel/grpc/services";
import { assertStatus, createFakeClock, createInMemoryTransport } from "@tercel/grpc/testing";
import { collect, quiet } from "@tercel/test-support/async";
import { overBothTransports } from "./support/open-echo.ts";

const calls: readonly LoadMetrics[] = [
  { cpuUtilization: 0.5, requestCost: { rows: 7 } },
  { memUtilization: 1, requestCost: { bytes: 9 }, namedMetrics: { queue: 3 } },
];

/** What a report says, without what it leaves open. */
function said(trailer: Headers | undefined): Record<string, unknown> | undefined {
  const report = trailer === undefined ? undefined : readCallMetrics(trailer);
  if (report === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(report).filter(([name, value]) => {
      if (name.startsWith("$") || value === 0 || value === 0n) return false;
      return typeof value !== "object" || Object.keys(value).length > 0;
    }),
  );
}

describe("a handler that records metrics of its call", () => {
  overBothTransports((open) => {
    it("sends them in the trailers, later ones over earlier ones", async (t) => {
      const { client } = await open(t, {
        unary(_request, context) {
          for (const metrics of calls) recordCallMetrics(context, metrics);
          return {};
        },
      });
      let trailer: Headers | undefined;
      await client.unary({}, { onTrailer: (received) => (trailer = received) });
      assert.deepEqual(said(trailer), {
        cpuUtilization: 0.5,
        memUtilization: 1,
        requestCost: { rows: 7, bytes: 9 },
        namedMetrics: { queue: 3 },
      });
    });

    it("sends them behind a stream's messages, and with a failure", async (t) => {
      const { client } = await open(t, {
        async *serverStream(_request, context) {
          yield { text: "one" };
          recordCallMetrics(context, { eps: 2 });
        },
        unary(_request, context) {
          recordCallMetrics(context, { eps: 3 });
          throw new ConnectError("no", Code.Aborted);
        },
      });
      let trailer: Headers | undefined;
      await collect(client.serverStream({}, { onTrailer: (received) => (trailer = received) }));
      assert.deepEqual(said(trailer), { eps: 2 });
      const error = await client.unary({}).catch((reason: unknown) => ConnectError.from(reason));
      assert.ok(error instanceof ConnectError);
      assert.deepEqual(said(error.metadata), { eps: 3 });
    });
  });
});

describe("a report", () => {
  it("leaves out what is out of its range or no finite number, and keeps what is on the edge", async () => {
    const reporting = createLoadReporting();
    reporting.update({
      cpuUtilization: 1.5,
      memUtilization: 1.01,
      applicationUtilization: -0.1,
      eps: Number.NaN,
      rpsFractional: Number.POSITIVE_INFINITY,
      utilization: { full: 1, empty: 0, over: 1.0001, under: -0.0001, none: Number.NaN },
      namedMetrics: { negative: -5, infinite: Number.NEGATIVE_INFINITY },
    });
    const transport = createInMemoryTransport({ routes: reporting.routes });
    const reports = createClient(reporting.service, transport).streamCoreMetrics({});
    const { value: report } = await reports[Symbol.asyncIterator]().next();
    await transport.close({ deadlineMs: 0 });
    assert.equal(report?.cpuUtilization, 1.5);
    assert.deepEqual([report?.memUtilization, report?.applicationUtilization, report?.eps], [0, 0, 0]);
    assert.equal(report?.rpsFractional, 0);
    assert.deepEqual(report?.utilization, { full: 1, empty: 0 });
    assert.deepEqual(report?.namedMetrics, { negative: -5 });
  });

  it("that cannot be read counts as none", () => {
    assert.equal(readCallMetrics(new Headers()), undefined);
    const broken = encodeBinaryHeader(Uint8Array.of(0xff, 0xff, 0xff));
    assert.equal(readCallMetrics(new Headers({ "endpoint-load-metrics-bin": broken })), undefined);
    assert.equal(readCallMetrics(new Headers({ "endpoint-load-metrics-bin": "?" })), undefined);
  });
});

describe("a server's own metrics", () => {
  overBothTransports((open) => {
    it("are added to what calls record when the interceptor runs, and the call's own win", async (t) => {
      const reporting = createLoadReporting();
      reporting.update({ cpuUtilization: 0.25, eps: 1, utilization: { disk: 0.5 } });
      const { client } = await open(
        t,
        {
          unary: () => ({}),
          async *serverStream(_request, context) {
            yield {};
            recordCallMetrics(context, { cpuUtilization: 0.75, utilization: { net: 0.1 } });
            reporting.update({ eps: undefined });
          },
        },
        { server: { interceptors: [reporting.interceptor] } },
      );
      let trailer: Headers | undefined;
      await client.unary({}, { onTrailer: (received) => (trailer = received) });
      assert.deepEqual(said(trailer), { cpuUtilization: 0.25, eps: 1, utilization: { disk: 0.5 } });
      await collect(client.serverStream({}, { onTrailer: (received) => (trailer = received) }));
      assert.deepEqual(said(trailer), { cpuUtilization: 0.75, utilization: { disk: 0.5, net: 0.1 } });
    });
  });
});

describe("a stream of reports", () => {
  function open(test: TestContext, minIntervalMs?: number) {
    const clock = createFakeClock();
    const reporting = createLoadReporting({ clock, ...(minIntervalMs === undefined ? {} : { minIntervalMs }) });
    const transport = createInMemoryTransport({ routes: reporting.routes });
    test.after(() => transport.close({ deadlineMs: 0 }));
    return { clock, reporting, client: createClient(reporting.service, transport) };
  }

  for (const [what, minIntervalMs, seconds, everyMs] of [
    ["as often as the client asks", 1000, 2n, 2000],
    ["no more often than the server allows", 5000, 2n, 5000],
    ["each half minute when no one says anything else", undefined, 0n, 30_000],
  ] as const) {
    it(`tells the load at once and then ${what}`, async (t) => {
      const { clock, reporting, client } = open(t, minIntervalMs);
      const abort = new AbortController();
      const reports = client.streamCoreMetrics({ reportInterval: { seconds } }, { signal: abort.signal });
      const stream = reports[Symbol.asyncIterator]();
      assert.equal((await stream.next()).value?.cpuUtilization, 0);
      for (const cpuUtilization of [0.5, 0.75]) {
        reporting.replace({ cpuUtilization, requestCost: { ignored: 1 } });
        let told: number | undefined;
        const next = stream.next().then(({ value }) => {
          told = value?.cpuUtilization;
          assert.deepEqual(value?.requestCost, {});
        });
        await quiet();
        await clock.advance(everyMs - 1);
        await quiet();
        assert.equal(told, undefined);
        await clock.advance(1);
        await next;
        assert.equal(told, cpuUtilization);
      }
      await quiet();
      abort.abort();
      await assertStatus(stream.next(), Code.Canceled);
      await quiet();
      assert.equal(clock.pendingTimers, 0);
    });
  }

  it("refuses intervals that are none, and options it does not know", () => {
    assert.throws(() => createLoadReporting({ minIntervalMs: 0 }), RangeError);
    assert.throws(() => createLoadReporting({ minInterval: 1 } as object), /minIntervalMs/);
  });
});
