import assert from "node:assert/strict";
import { test } from "node:test";
import { exposition, expositionOf } from "./exposition.ts";
import { createRegistry, type Registry } from "./registry.ts";
import { familiesOf, mergeParts, shareMetrics } from "./share-metrics.ts";

/** The metrics of a worker after `calls` calls, the last of which took `seconds`. */
function worker(calls: number, seconds: number, delay: number, started: number): Registry {
  const registry = createRegistry();
  registry
    .counter("calls_total", { help: "Calls.", labels: ["method"] })
    .with("Get")
    .add(calls);
  const durations = registry.histogram("duration_seconds", { help: "Durations.", bounds: [1, 2] });
  const bucket = durations.with().observe(seconds);
  durations.with().setExemplar(bucket, { traceId: "t", spanId: `s${seconds}`, value: seconds, atSeconds: seconds });
  registry.gauge("open_calls", { help: "Open." }).with().set(calls);
  registry.gauge("delay_seconds", { help: "Delay.", across: "max" }).with().set(delay);
  registry.gauge("start_seconds", { help: "Start.", across: "min" }).with().set(started);
  return registry;
}

const counts = { wanted: 2, ready: 2, lost: 1 };

test("sums counters and histograms, and merges gauges by their rule", () => {
  const parts = [worker(3, 0.5, 0.1, 70), worker(4, 0.75, 0.4, 50)].map((registry) => shareMetrics(registry).read());
  const text = expositionOf(familiesOf({ value: mergeParts(parts), workers: counts }), "openmetrics");
  for (const line of [
    'calls_total{method="Get"} 7',
    'duration_seconds_bucket{le="1.0"} 2 # {trace_id="t",span_id="s0.75"} 0.75 0.750',
    'duration_seconds_bucket{le="2.0"} 2',
    'duration_seconds_bucket{le="+Inf"} 2',
    "duration_seconds_sum 1.25",
    "duration_seconds_count 2",
    "open_calls 7",
    "delay_seconds 0.4",
    "start_seconds 50",
    "tercel_workers_wanted 2",
    "tercel_workers_ready 2",
    "tercel_workers_lost_total 1",
  ]) {
    assert.ok(text.split("\n").includes(line), `${line} is not in\n${text}`);
  }
});

test("keeps the counters of an ended worker, but not its gauges", () => {
  const shared = shareMetrics(worker(3, 0.5, 0.1, 70));
  const kept = shared.keep?.(shared.read()) ?? [];
  const merged = mergeParts([shared.read(), kept]);
  const text = expositionOf(familiesOf({ value: merged, workers: counts }), "prometheus");
  assert.match(text, /^calls_total\{method="Get"\} 6$/m);
  assert.match(text, /^duration_seconds_count 2$/m);
  assert.match(text, /^open_calls 3$/m);
});

test("leaves out histograms with other bounds, and keeps series that only one worker has", () => {
  const other = createRegistry();
  other
    .histogram("duration_seconds", { help: "Durations.", bounds: [1] })
    .with()
    .observe(0.5);
  other
    .counter("calls_total", { help: "Calls.", labels: ["method"] })
    .with("Set")
    .add(2);
  const merged = mergeParts([shareMetrics(worker(1, 0.5, 0, 0)).read(), shareMetrics(other).read()]);
  const text = expositionOf(familiesOf({ value: merged, workers: counts }), "prometheus");
  assert.match(text, /^duration_seconds_count 1$/m);
  assert.match(text, /^calls_total\{method="Get"\} 1\ncalls_total\{method="Set"\} 2$/m);
});

test("is the exposition of the process itself without workers", async () => {
  const registry = worker(3, 0.5, 0.1, 70);
  const text = expositionOf(familiesOf(await shareMetrics(registry).collect()), "prometheus");
  assert.ok(text.endsWith(exposition(registry)));
  assert.match(text, /^tercel_workers_ready 1$/m);
});
