import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createRegistry, exposition } from "./index.ts";

describe("a registry", () => {
  it("renders counters, gauges and histograms in Prometheus' text format", () => {
    const registry = createRegistry();
    const calls = registry.counter("calls_total", { help: "Calls.\nAll \\ of them.", labels: ["method"] });
    calls.with("Get").add();
    calls.with("Get").add(2);
    calls.with('say "hi"\n\\').add();
    registry.gauge("open", { help: "Open now." }).with().set(-1.5);
    const durations = registry.histogram("took_seconds", { help: "Time.", bounds: [0.1, 1] });
    for (const value of [0.05, 0.1, 0.5, 1, 7]) durations.with().observe(value);
    assert.equal(
      exposition(registry),
      [
        "# HELP calls_total Calls.\\nAll \\\\ of them.",
        "# TYPE calls_total counter",
        'calls_total{method="Get"} 3',
        'calls_total{method="say \\"hi\\"\\n\\\\"} 1',
        "# HELP open Open now.",
        "# TYPE open gauge",
        "open -1.5",
        "# HELP took_seconds Time.",
        "# TYPE took_seconds histogram",
        'took_seconds_bucket{le="0.1"} 2',
        'took_seconds_bucket{le="1"} 4',
        'took_seconds_bucket{le="+Inf"} 5',
        "took_seconds_sum 8.65",
        "took_seconds_count 5",
        "",
      ].join("\n"),
    );
  });

  it("renders OpenMetrics with units and the last exemplar of each bucket", () => {
    const registry = createRegistry();
    registry.counter("calls_total", { help: 'Say "calls".' }).with().add();
    const durations = registry.histogram("took_seconds", { help: "Time.", bounds: [1] }).with();
    const exemplar = { traceId: "a".repeat(32), spanId: "b".repeat(16), value: 0.25, atSeconds: 1_700_000_000.1234 };
    durations.setExemplar(durations.observe(0.5), { ...exemplar, traceId: "older" });
    durations.setExemplar(durations.observe(0.25), exemplar);
    durations.observe(2);
    assert.equal(
      exposition(registry, "openmetrics"),
      [
        '# HELP calls Say \\"calls\\".',
        "# TYPE calls counter",
        "calls_total 1",
        "# HELP took_seconds Time.",
        "# TYPE took_seconds histogram",
        "# UNIT took_seconds seconds",
        `took_seconds_bucket{le="1.0"} 2 # {trace_id="${"a".repeat(32)}",span_id="${"b".repeat(16)}"} 0.25 1700000000.123`,
        'took_seconds_bucket{le="+Inf"} 3',
        "took_seconds_sum 2.75",
        "took_seconds_count 3",
        "# EOF",
        "",
      ].join("\n"),
    );
  });

  it("has at most maxSeries series, and counts the rest as other", () => {
    const registry = createRegistry();
    const calls = registry.counter("calls_total", { help: "h", labels: ["a", "b"], maxSeries: 2 });
    calls.with("1", "x").add();
    calls.with("2", "x").add();
    calls.with("3", "x").add();
    calls.with("4", "x").add();
    calls.with("1", "x").add();
    assert.deepEqual(
      [...calls.series.values()].map(({ values, series }) => [...values, series.value]),
      [
        ["1", "x", 2],
        ["2", "x", 1],
        ["other", "other", 2],
      ],
    );
  });

  it("updates gauges before each collection, until the callback is removed", () => {
    const registry = createRegistry();
    const gauge = registry.gauge("size", { help: "h" }).with();
    let size = 1;
    const stop = registry.beforeCollect(() => gauge.set(size));
    assert.match(exposition(registry), /^size 1$/m);
    size = 2;
    assert.match(exposition(registry), /^size 2$/m);
    stop();
    size = 3;
    assert.match(exposition(registry), /^size 2$/m);
  });

  it("writes infinite numbers and NaN like Prometheus", () => {
    const registry = createRegistry();
    const gauge = registry.gauge("g", { help: "h", labels: ["of"] });
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e21, 5e-324]) {
      gauge.with(String(value)).set(value);
    }
    const shown = exposition(registry).split("\n").slice(2, -1);
    assert.deepEqual(
      shown.map((line) => line.split(" ").at(-1)),
      ["NaN", "+Inf", "-Inf", "1e+21", "5e-324"],
    );
  });

  it("rejects names, labels and bounds that are invalid in Prometheus", () => {
    const registry = createRegistry();
    registry.gauge("taken", { help: "h" });
    assert.throws(() => registry.gauge("taken", { help: "h" }), /registered already/);
    assert.throws(() => registry.gauge("1x", { help: "h" }), TypeError);
    assert.throws(() => registry.counter("calls", { help: "h" }), /_total/);
    for (const label of ["le", "__name", "a-b", ""]) {
      assert.throws(() => registry.gauge(`l_${label.length}`, { help: "h", labels: [label] }), TypeError, label);
    }
    for (const bounds of [[1, 1], [2, 1], [Number.POSITIVE_INFINITY], [Number.NaN]]) {
      assert.throws(() => registry.histogram("h", { help: "h", bounds }), RangeError);
    }
    const labelled = registry.counter("c_total", { help: "h", labels: ["a"] });
    assert.throws(() => labelled.with(), /takes 1 label values, but got 0/);
  });
});
