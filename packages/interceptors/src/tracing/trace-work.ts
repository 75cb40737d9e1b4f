import { createContextValues } from "@connectrpc/connect";
import { context, isSpanContextValid, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { currentValues, runWithValues } from "../call/call-scope.ts";
import { traceContextKey } from "../call/trace-context.ts";
import { formatTraceParent, parseTraceParent } from "./trace-parent.ts";

/** Returns the W3C `traceparent` of the running code, to store with work that is done later. Undefined without a trace. */
export function currentTraceParent(): string | undefined {
  const span = trace.getSpanContext(currentValues()?.get(traceContextKey) ?? context.active());
  return span !== undefined && isSpanContextValid(span) ? formatTraceParent(span) : undefined;
}

/**
 * Runs work that belongs to an earlier trace, such as handling an event, in a new span whose parent is `traceParent`. If that is empty or
 * invalid, the span starts a new trace. If the work rejects, the span has the status ERROR.
 */
export async function traceWork<T>(name: string, traceParent: string, work: () => Promise<T>): Promise<T> {
  const parent = parseTraceParent(traceParent, null);
  const around = parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent);
  const span = trace.getTracer("@tercel/interceptors").startSpan(name, { kind: SpanKind.CONSUMER }, around);
  const inside = trace.setSpan(around, span);
  const values = createContextValues().set(traceContextKey, inside);
  try {
    return await context.with(inside, () => runWithValues(values, work));
  } catch (error) {
    span.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    span.end();
  }
}
