import assert from "node:assert/strict";
import { it } from "node:test";
import { createContextValues } from "@connectrpc/connect";
import { INVALID_SPAN_CONTEXT, ROOT_CONTEXT, type SpanContext, TraceFlags, trace } from "@opentelemetry/api";
import { spanContextOf, traceContextKey } from "./trace-context.ts";

function callWith(span: SpanContext) {
  return { contextValues: createContextValues().set(traceContextKey, trace.setSpanContext(ROOT_CONTEXT, span)) };
}

it("knows the span of a traced call", () => {
  const span = { traceId: "a".repeat(32), spanId: "b".repeat(16), traceFlags: TraceFlags.NONE };
  assert.deepEqual(spanContextOf(callWith(span)), span);
});

it("takes the ids of zeros that come without an SDK for no span", () => {
  assert.equal(spanContextOf(callWith(INVALID_SPAN_CONTEXT)), undefined);
  assert.equal(spanContextOf({ contextValues: createContextValues() }), undefined);
});
