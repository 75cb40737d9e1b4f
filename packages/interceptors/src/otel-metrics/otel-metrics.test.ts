import assert from "node:assert/strict";
import { it, type TestContext } from "node:test";
import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import {
  AggregationTemporality,
  type Histogram,
  InMemoryMetricExporter,
  MeterProvider,
  type MetricData,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { createChannel } from "@tercel/grpc";
import { assertStatus } from "@tercel/grpc/testing";
import { collect } from "@tercel/test-support/async";
import { countingGzip } from "@tercel/test-support/calls";
import { EchoService } from "../../test/gen/tercel/interceptors/test/v1/echo_pb.ts";
import { GuardedService } from "../../test/gen/tercel/interceptors/test/v1/guarded_pb.ts";
import { openInMemory } from "../../test/support/open-echo.ts";
import { failingOnce, retryingOnce } from "../../test/support/retried-calls.ts";
import { openSlowUpload } from "../../test/support/slow-upload.ts";
import { createClientOtelMetrics, createServerOtelMetrics } from "./index.ts";

/** A meter, and its records: name, unit, attributes, count, and for bytes their sum. */
function openMeter(t: TestContext) {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  t.after(() => provider.shutdown());
  async function recorded(): Promise<string[]> {
    await provider.forceFlush();
    const scopes = exporter.getMetrics().at(-1)?.scopeMetrics ?? [];
    return scopes.flatMap(({ metrics }) => metrics.flatMap(linesOf)).sort();
  }
  /** The sum of the latest record of a name. */
  function secondsOf(name: string): number {
    const metrics =
      exporter
        .getMetrics()
        .at(-1)
        ?.scopeMetrics.flatMap((scope) => scope.metrics) ?? [];
    const found = metrics.find(({ descriptor }) => descriptor.name === name);
    return (found?.dataPoints[0]?.value as Histogram | undefined)?.sum ?? Number.NaN;
  }
  return { meter: provider.getMeter("test"), recorded, secondsOf };
}

function linesOf({ descriptor, dataPoints }: MetricData): string[] {
  return dataPoints.map(({ attributes, value }) => {
    const shown = Object.values(attributes).map((one) => String(one).replace("tercel.interceptors.test.v1.", ""));
    const { count, sum } = typeof value === "number" ? { count: value } : (value as Histogram);
    const total = descriptor.unit === "By" ? [`of ${sum}`] : [];
    return [descriptor.name, descriptor.unit, ...shown, count, ...total].join(" ");
  });
}

for (const conventions of ["opentelemetry", "grpc", "both"] as const) {
  it(`records the instruments of the conventions on both sides (${conventions})`, async (t) => {
    const { meter, recorded } = openMeter(t);
    const recording = createServerOtelMetrics({ meter, conventions });
    const { client, transport } = await openInMemory(
      t,
      {
        unary({ count, text }) {
          if (count > 0) throw new ConnectError("no", count);
          return { text };
        },
        async *serverStream() {
          yield { text: "a" };
          yield { text: "bcd" };
        },
      },
      {
        server: { interceptors: [recording], onUnhandledCall: recording.recordUnhandled },
        channel: { interceptors: [createClientOtelMetrics({ meter, conventions, target: "dns:///echo" })] },
      },
    );
    // A tag and a length of one byte each, and the text.
    await client.unary({ text: "hello" });
    await client.unary({ text: "hello, world" });
    await assertStatus(client.unary({ count: Code.NotFound }), Code.NotFound);
    await collect(client.serverStream({}));
    await assertStatus(createClient(GuardedService, transport).read({}), Code.Unimplemented);

    const durations = {
      grpc: [
        "grpc.client.call.duration s dns:///echo EchoService/ServerStream OK 1",
        "grpc.client.call.duration s dns:///echo EchoService/Unary NOT_FOUND 1",
        "grpc.client.call.duration s dns:///echo EchoService/Unary OK 2",
        "grpc.client.call.duration s dns:///echo GuardedService/Read UNIMPLEMENTED 1",
        "grpc.server.call.duration s EchoService/ServerStream OK 1",
        "grpc.server.call.duration s EchoService/Unary NOT_FOUND 1",
        "grpc.server.call.duration s EchoService/Unary OK 2",
        "grpc.server.call.duration s other UNIMPLEMENTED 1",
      ],
      opentelemetry: [
        "rpc.client.call.duration s grpc EchoService/ServerStream OK 1",
        "rpc.client.call.duration s grpc EchoService/Unary NOT_FOUND NOT_FOUND 1",
        "rpc.client.call.duration s grpc EchoService/Unary OK 2",
        "rpc.client.call.duration s grpc GuardedService/Read UNIMPLEMENTED UNIMPLEMENTED 1",
        "rpc.server.call.duration s grpc EchoService/ServerStream OK 1",
        "rpc.server.call.duration s grpc EchoService/Unary NOT_FOUND 1",
        "rpc.server.call.duration s grpc EchoService/Unary OK 2",
        "rpc.server.call.duration s grpc _OTHER UNIMPLEMENTED UNIMPLEMENTED 1",
      ],
    };
    const ofCalls = conventions === "both" ? Object.values(durations).flat() : durations[conventions];
    const ofGrpcAlone = [
      "grpc.client.attempt.duration s dns:///echo EchoService/ServerStream OK 1",
      "grpc.client.attempt.duration s dns:///echo EchoService/Unary NOT_FOUND 1",
      "grpc.client.attempt.duration s dns:///echo EchoService/Unary OK 2",
      "grpc.client.attempt.duration s dns:///echo GuardedService/Read UNIMPLEMENTED 1",
      "grpc.client.attempt.rcvd_total_compressed_message_size By dns:///echo EchoService/ServerStream OK 1 of 8",
      "grpc.client.attempt.rcvd_total_compressed_message_size By dns:///echo EchoService/Unary NOT_FOUND 1 of 0",
      "grpc.client.attempt.rcvd_total_compressed_message_size By dns:///echo EchoService/Unary OK 2 of 21",
      "grpc.client.attempt.rcvd_total_compressed_message_size By dns:///echo GuardedService/Read UNIMPLEMENTED 1 of 0",
      "grpc.client.attempt.sent_total_compressed_message_size By dns:///echo EchoService/ServerStream OK 1 of 0",
      "grpc.client.attempt.sent_total_compressed_message_size By dns:///echo EchoService/Unary NOT_FOUND 1 of 2",
      "grpc.client.attempt.sent_total_compressed_message_size By dns:///echo EchoService/Unary OK 2 of 21",
      "grpc.client.attempt.sent_total_compressed_message_size By dns:///echo GuardedService/Read UNIMPLEMENTED 1 of 0",
      "grpc.client.attempt.started {attempt} dns:///echo EchoService/ServerStream 1",
      "grpc.client.attempt.started {attempt} dns:///echo EchoService/Unary 3",
      "grpc.client.attempt.started {attempt} dns:///echo GuardedService/Read 1",
      "grpc.server.call.rcvd_total_compressed_message_size By EchoService/ServerStream OK 1 of 0",
      "grpc.server.call.rcvd_total_compressed_message_size By EchoService/Unary NOT_FOUND 1 of 2",
      "grpc.server.call.rcvd_total_compressed_message_size By EchoService/Unary OK 2 of 21",
      "grpc.server.call.sent_total_compressed_message_size By EchoService/ServerStream OK 1 of 8",
      "grpc.server.call.sent_total_compressed_message_size By EchoService/Unary NOT_FOUND 1 of 0",
      "grpc.server.call.sent_total_compressed_message_size By EchoService/Unary OK 2 of 21",
      "grpc.server.call.started {call} EchoService/ServerStream 1",
      "grpc.server.call.started {call} EchoService/Unary 3",
      "grpc.server.call.started {call} other 1",
    ];
    assert.deepEqual(await recorded(), [...ofCalls, ...ofGrpcAlone].sort());
  });
}

for (const end of ["finish", "takeBack"] as const) {
  it(`starts when the headers of a call arrive, and includes its upload (${end})`, async (t) => {
    const { meter, recorded, secondsOf } = openMeter(t);
    const recording = createServerOtelMetrics({ meter });
    const upload = await openSlowUpload(
      t,
      "/tercel.interceptors.test.v1.EchoService/Unary",
      (router) => router.service(EchoService, { unary: () => ({}) }),
      { interceptors: [recording], onUnhandledCall: recording.recordUnhandled },
    );
    const started = "grpc.server.call.started {call} EchoService/Unary 1";
    assert.deepEqual(await recorded(), [started]);
    await upload[end]();
    const lines = await recorded();
    const status = end === "finish" ? "OK" : "CANCELLED";
    assert.deepEqual(
      lines.filter((line) => !line.includes("_size ")),
      [started, `rpc.server.call.duration s grpc EchoService/Unary ${status} 1`],
    );
    const seconds = secondsOf("rpc.server.call.duration");
    assert.ok(seconds >= 1, `${seconds}`);
  });
}

it("records each attempt of a retried call, with compressed sizes and the channel's target", async (t) => {
  const { meter, recorded } = openMeter(t);
  const { compression, compressedBytes } = countingGzip();
  const { client } = await openInMemory(t, failingOnce(), {
    server: { interceptors: [createServerOtelMetrics({ meter })] },
    channel: {
      ...retryingOnce,
      interceptors: [createClientOtelMetrics({ meter })],
      sendCompression: compression,
    },
  });
  await client.unary({ text: "a".repeat(50_000) });
  const sentBytes = compressedBytes[0] ?? 0;
  assert.ok(sentBytes > 0 && sentBytes < 1000);
  const lines = await recorded();
  const method = "EchoService/Unary";
  const ofAttempts = (name: string): string[] => lines.filter((line) => line.startsWith(`grpc.client.attempt.${name}`));
  const target = ofAttempts("started")[0]?.split(" ")[2];
  assert.ok(target !== undefined && target !== method);
  assert.deepEqual(ofAttempts("started"), [`grpc.client.attempt.started {attempt} ${target} ${method} 2`]);
  assert.deepEqual(
    ofAttempts("sent_total"),
    ["OK", "UNAVAILABLE"].map(
      (status) =>
        `grpc.client.attempt.sent_total_compressed_message_size By ${target} ${method} ${status} 1 of ${sentBytes}`,
    ),
  );
  assert.deepEqual(
    lines.filter((line) => line.startsWith("rpc.client.call.")),
    [`rpc.client.call.duration s in-memory 80 grpc ${method} OK 1`],
  );
  assert.deepEqual(
    lines.filter((line) => line.startsWith("grpc.server.call.rcvd_total")),
    ["OK", "UNAVAILABLE"].map(
      (status) => `grpc.server.call.rcvd_total_compressed_message_size By ${method} ${status} 1 of ${sentBytes}`,
    ),
  );
});

it("records only calls on other servers and transports", async (t) => {
  const { meter, recorded } = openMeter(t);
  const transport = createRouterTransport(
    (router) =>
      router.service(EchoService, { unary: () => ({}) }, { interceptors: [createServerOtelMetrics({ meter })] }),
    { transport: { interceptors: [createClientOtelMetrics({ meter })] } },
  );
  await createClient(EchoService, transport).unary({});
  assert.deepEqual(await recorded(), [
    "grpc.server.call.started {call} EchoService/Unary 1",
    "rpc.client.call.duration s in-memory grpc EchoService/Unary OK 1",
    "rpc.server.call.duration s grpc EchoService/Unary OK 1",
  ]);
});

it("records the channel's target as a URI, for calls and attempts", async (t) => {
  const { meter, recorded } = openMeter(t);
  const interceptors = [createClientOtelMetrics({ meter })];
  const [first, second] = ["127.0.0.1:1", "static:///127.0.0.1:1"].map((target) =>
    createChannel(target, { interceptors }),
  );
  t.after(() => Promise.all([first?.close(), second?.close()]));
  for (const channel of [first, second]) {
    if (channel === undefined) assert.fail();
    await assertStatus(createClient(EchoService, channel).unary({}), Code.Unavailable);
  }
  const lines = (await recorded()).filter((line) => line.includes(".duration"));
  assert.deepEqual(lines, [
    "grpc.client.attempt.duration s dns:///127.0.0.1:1 EchoService/Unary UNAVAILABLE 1",
    "grpc.client.attempt.duration s static:///127.0.0.1:1 EchoService/Unary UNAVAILABLE 1",
    "rpc.client.call.duration s 127.0.0.1 1 grpc EchoService/Unary UNAVAILABLE UNAVAILABLE 2",
  ]);
});

it("does nothing without an SDK, and rejects unknown options", async (t) => {
  const { client } = await openInMemory(
    t,
    { unary: () => ({ text: "ok" }) },
    { server: { interceptors: [createServerOtelMetrics()] }, channel: { interceptors: [createClientOtelMetrics()] } },
  );
  assert.equal((await client.unary({})).text, "ok");
  assert.throws(() => createClientOtelMetrics({ targets: "x" } as never), /did you mean "target"/);
});
