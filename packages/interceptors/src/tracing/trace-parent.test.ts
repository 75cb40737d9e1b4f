import assert from "node:assert/strict";
import { test } from "node:test";
import { formatTraceParent, isUnsampled, parseTraceParent } from "./trace-parent.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const spanId = "b7ad6b7169203331";

test("reads the span of a traceparent, and only its sampled flag", () => {
  for (const [flags, traceFlags] of [
    ["00", 0],
    ["01", 1],
    ["02", 0],
    ["ff", 1],
  ] as const) {
    const span = parseTraceParent(`00-${traceId}-${spanId}-${flags}`, null);
    assert.deepEqual(span, { traceId, spanId, traceFlags, isRemote: true });
  }
});

test("reads the known parts of a later version, and rejects more parts in version 00", () => {
  assert.equal(parseTraceParent(`cc-${traceId}-${spanId}-01-what-the-future-holds`, null)?.traceId, traceId);
  assert.equal(parseTraceParent(`00-${traceId}-${spanId}-01-more`, null), undefined);
  assert.equal(parseTraceParent(`ff-${traceId}-${spanId}-01`, null), undefined);
});

test("rejects an invalid one", () => {
  const zeros = (count: number): string => "0".repeat(count);
  for (const broken of [
    null,
    "",
    "00",
    `00-${traceId}-${spanId}`,
    `00-${traceId.toUpperCase()}-${spanId}-01`,
    `00-${zeros(32)}-${spanId}-01`,
    `00-${traceId}-${zeros(16)}-01`,
    `00-${traceId}0-${spanId}-01`,
    `00-${traceId}-${spanId}-1`,
    `00-${traceId}-${spanId}-01, 00-${traceId}-${spanId}-01`,
  ]) {
    assert.equal(parseTraceParent(broken, null), undefined, String(broken));
    if (broken !== null) assert.equal(isUnsampled(broken.replace(/01?$/, "00")), false, broken);
  }
});

test("keeps the valid entries of tracestate", () => {
  const span = parseTraceParent(`00-${traceId}-${spanId}-01`, "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7,BAD KEY=1");
  assert.equal(span?.traceState?.serialize(), "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7");
});

test("formats what it has parsed", () => {
  for (const flags of ["00", "01"]) {
    const text = `00-${traceId}-${spanId}-${flags}`;
    const span = parseTraceParent(text, null);
    assert.ok(span !== undefined);
    assert.equal(formatTraceParent(span), text);
  }
});

test("recognises an unsampled one by its last bit, and rejects any other form", () => {
  for (const flags of ["00", "02", "0e", "fa"]) assert.equal(isUnsampled(`00-${traceId}-${spanId}-${flags}`), true);
  for (const flags of ["01", "03", "0f", "ff"]) assert.equal(isUnsampled(`00-${traceId}-${spanId}-${flags}`), false);
  const good = `00-${traceId}-${spanId}-00`;
  for (let at = 0; at < good.length; at++) {
    for (const other of ["g", "A", "-", " ", "\u00b0", "\u0130"]) {
      if (good[at] === other) continue;
      const broken = good.slice(0, at) + other + good.slice(at + 1);
      assert.equal(isUnsampled(broken), false, broken);
    }
  }
  assert.equal(isUnsampled(`01-${traceId}-${spanId}-00`), false);
});
