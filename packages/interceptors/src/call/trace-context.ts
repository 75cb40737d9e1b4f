import { type ContextKey, type ContextValues, createContextKey } from "@connectrpc/connect";
import { type Context, context, isSpanContextValid, type SpanContext, trace } from "@opentelemetry/api";
import { UnsampledContext } from "./unsampled-context.ts";

/** The OpenTelemetry context of a call among its context values: there without a context manager as well. */
export const traceContextKey: ContextKey<Context | undefined> = createContextKey<Context | undefined>(undefined, {
  description: "trace context",
});

/** The context a call belongs to: its own, or the one that is active. */
export function traceContextOf(call: { readonly contextValues: ContextValues }): Context {
  return call.contextValues.get(traceContextKey) ?? context.active();
}

/** The ids of the span that a call belongs to, if it is traced. Without an SDK there is a span all the same, whose ids are zeros. */
export function spanIdsOf(call: {
  readonly contextValues: ContextValues;
}): Pick<SpanContext, "traceId" | "spanId"> | undefined {
  const of = traceContextOf(call);
  // Its ids are known without creating a context with a span.
  if (of instanceof UnsampledContext) return of;
  const span = trace.getSpanContext(of);
  return span !== undefined && isSpanContextValid(span) ? span : undefined;
}

/** The span of a call, if it is recorded: only then it can be looked at later (W3C Trace Context §3.2.2.5.1, the sampled flag). */
export function sampledSpanOf(call: { readonly contextValues: ContextValues }): SpanContext | undefined {
  const of = traceContextOf(call);
  if (of instanceof UnsampledContext) return undefined;
  const span = trace.getSpanContext(of);
  return span === undefined || (span.traceFlags & 1) === 0 ? undefined : span;
}
