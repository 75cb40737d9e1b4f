import assert from "node:assert/strict";
import { it } from "node:test";
import { createContextValues } from "@connectrpc/connect";
import { INVALID_SPAN_CONTEXT, ROOT_CONTEXT, type SpanContext, TraceFlags, trace } from "@opentelemetry/api";
import { spanIdsOf, traceContextKey } from "./trace-context.ts";
import { UnsampledContext } from "./unsampled-context.ts";

function callWith(span: SpanContext) {
  return { contextValues: createContextValues().set(traceContextKey, trace.setSpanContext(ROOT_CONTEXT, span)) };
}

it("returns the span of a traced call", () => {
  const span = { traceId: "a".repeat(32), spanId: "b".repeat(16), traceFlags: TraceFlags.NONE };
  assert.deepEqual(spanIdsOf(callWith(span)), span);
});

it("returns no span for the zero ids without an SDK", () => {
  assert.equal(spanIdsOf(callWith(INVALID_SPAN_CONTEXT)), undefined);
  assert.equal(spanIdsOf({ contextValues: createContextValues() }), undefined);
});

it("returns the ids of an unsampled call without creating a span", () => {
  const parent = `00-${"a".repeat(32)}-${"b".repeat(16)}-00`;
  const unread = (): never => assert.fail("the span was created");
  const values = createContextValues().set(traceContextKey, new UnsampledContext(parent, null, unread));
  const { traceId, spanId } = spanIdsOf({ contextValues: values }) ?? {};
  assert.deepEqual([traceId, spanId], ["a".repeat(32), "b".repeat(16)]);
});
