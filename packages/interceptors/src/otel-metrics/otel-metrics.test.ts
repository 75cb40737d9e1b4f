import assert from "node:assert/strict";
import { it } from "node:test";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { assertStatus } from "@tercel/grpc/testing";
import { GuardedService } from "../../test/gen/tercel/interceptors/test/v1/guarded_pb.ts";
import { collect } from "../../test/support/async.ts";
import { openInMemory } from "../../test/support/open-echo.ts";
import { createClientOtelMetrics, createServerOtelMetrics } from "./index.ts";

it("records gRFC A66's instruments of calls on both sides", async (t) => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  t.after(() => provider.shutdown());
  const meter = provider.getMeter("test");
  const recording = createServerOtelMetrics({ meter });
  const { client, transport } = await openInMemory(
    t,
    {
      unary({ count }) {
        if (count > 0) throw new ConnectError("no", count);
        return {};
      },
      async *serverStream() {
        yield {};
      },
    },
    {
      server: { interceptors: [recording], onUnhandledCall: recording.recordUnhandled },
      channel: { interceptors: [createClientOtelMetrics({ meter, target: "dns:///echo" })] },
    },
  );
  await client.unary({});
  await client.unary({});
  await assertStatus(client.unary({ count: Code.NotFound }), Code.NotFound);
  await collect(client.serverStream({}));
  await assertStatus(createClient(GuardedService, transport).read({}), Code.Unimplemented);
  await provider.forceFlush();

  const seen: string[] = [];
  for (const { scopeMetrics } of exporter.getMetrics().slice(-1)) {
    for (const { metrics } of scopeMetrics) {
      for (const { descriptor, dataPoints } of metrics) {
        for (const { attributes, value } of dataPoints) {
          const count = typeof value === "number" ? value : (value as { count: number }).count;
          const shown = Object.values(attributes).map((one) => String(one).replace("tercel.interceptors.test.v1.", ""));
          seen.push([descriptor.name, descriptor.unit, ...shown, count].join(" "));
        }
      }
    }
  }
  assert.deepEqual(seen.sort(), [
    "grpc.client.call.duration s dns:///echo EchoService/ServerStream OK 1",
    "grpc.client.call.duration s dns:///echo EchoService/Unary NOT_FOUND 1",
    "grpc.client.call.duration s dns:///echo EchoService/Unary OK 2",
    "grpc.client.call.duration s dns:///echo GuardedService/Read UNIMPLEMENTED 1",
    "grpc.server.call.duration s EchoService/ServerStream OK 1",
    "grpc.server.call.duration s EchoService/Unary NOT_FOUND 1",
    "grpc.server.call.duration s EchoService/Unary OK 2",
    "grpc.server.call.duration s other UNIMPLEMENTED 1",
    "grpc.server.call.started {call} EchoService/ServerStream 1",
    "grpc.server.call.started {call} EchoService/Unary 3",
    "grpc.server.call.started {call} other 1",
  ]);
});

it("does nothing where no SDK is set up, and refuses unknown options", async (t) => {
  const { client } = await openInMemory(
    t,
    { unary: () => ({ text: "ok" }) },
    { server: { interceptors: [createServerOtelMetrics()] }, channel: { interceptors: [createClientOtelMetrics()] } },
  );
  assert.equal((await client.unary({})).text, "ok");
  assert.throws(() => createClientOtelMetrics({ targets: "x" } as never), /did you mean "target"/);
});
