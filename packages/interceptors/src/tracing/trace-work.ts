import { createContextValues } from "@connectrpc/connect";
import { context, isSpanContextValid, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { currentValues, runWithValues } from "../call/call-scope.ts";
import { traceContextKey } from "../call/trace-context.ts";
import { formatTraceParent, parseTraceParent } from "./trace-parent.ts";

/** The W3C `traceparent` of the running code, to be stored with work that is done later; undefined where nothing is traced. */
export function currentTraceParent(): string | undefined {
  const span = trace.getSpanContext(currentValues()?.get(traceContextKey) ?? context.active());
  return span !== undefined && isSpanContextValid(span) ? formatTraceParent(span) : undefined;
}

/**
 * Does work that belongs to an earlier trace, such as handling an event, in a span of its own that is a child of `traceParent`; an empty
 * or invalid one begins a new trace. The span is an error when the work rejects.
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
