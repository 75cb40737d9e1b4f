import { type ContextKey, type ContextValues, createContextKey } from "@connectrpc/connect";
import { type Context, context, isSpanContextValid, type SpanContext, trace } from "@opentelemetry/api";
import { UnsampledContext } from "./unsampled-context.ts";

/** The context key of a call's OpenTelemetry context, which works without a context manager. */
export const traceContextKey: ContextKey<Context | undefined> = createContextKey<Context | undefined>(undefined, {
  description: "trace context",
});

/** Returns the OpenTelemetry context of a call: its own, or the active one. */
export function traceContextOf(call: { readonly contextValues: ContextValues }): Context {
  return call.contextValues.get(traceContextKey) ?? context.active();
}

/** Returns the ids of a call's span, if it is traced. Without an SDK, the span has ids of zeros and does not count. */
export function spanIdsOf(call: {
  readonly contextValues: ContextValues;
}): Pick<SpanContext, "traceId" | "spanId"> | undefined {
  const of = traceContextOf(call);
  // Reads the ids without creating a context with a span.
  if (of instanceof UnsampledContext) return of;
  const span = trace.getSpanContext(of);
  return span !== undefined && isSpanContextValid(span) ? span : undefined;
}

/** Returns the span of a call, if it is recorded, and can be found later (W3C Trace Context §3.2.2.5.1, the sampled flag). */
export function sampledSpanOf(call: { readonly contextValues: ContextValues }): SpanContext | undefined {
  const of = traceContextOf(call);
  if (of instanceof UnsampledContext) return undefined;
  const span = trace.getSpanContext(of);
  return span === undefined || (span.traceFlags & 1) === 0 ? undefined : span;
}
