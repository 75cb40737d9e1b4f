import {
  type Context,
  createTraceState,
  isSpanContextValid,
  type SpanContext,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter,
  trace,
} from "@opentelemetry/api";

/**
 * version "-" trace-id "-" parent-id "-" flags, in lower case (W3C Trace Context §3.2). A later version may have more behind another
 * dash; version ff is none.
 */
const traceparent = /^(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** The span that a `traceparent` names, with the vendors' `tracestate` beside it; undefined for what is not valid. */
export function parseTraceParent(parent: string | null, state: string | null): SpanContext | undefined {
  if (parent === null) return undefined;
  const found = traceparent.exec(parent.trim());
  if (found === null) return undefined;
  const [, version, traceId = "", spanId = "", flags = "", rest] = found;
  if (version === "00" && rest !== undefined) return undefined;
  const span: SpanContext = {
    traceId,
    spanId,
    // Only the first bit has a meaning in version 00; the others are not handed on.
    traceFlags: Number.parseInt(flags, 16) & 1,
    isRemote: true,
    ...(state !== null && state !== "" && { traceState: createTraceState(state) }),
  };
  return isSpanContextValid(span) ? span : undefined;
}

/** A `traceparent` of version 00 whose trace is not recorded. */
const unsampled = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f][02468ace]$/;

export function isUnsampled(parent: string): boolean {
  return unsampled.test(parent);
}

export function formatTraceParent(span: SpanContext): string {
  return `00-${span.traceId}-${span.spanId}-${(span.traceFlags & 1) === 1 ? "01" : "00"}`;
}

/** W3C Trace Context as an OpenTelemetry propagator, so that propagation works where no SDK brings one. */
export const w3cPropagator: TextMapPropagator = {
  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    const span = trace.getSpanContext(context);
    if (span === undefined || !isSpanContextValid(span)) return;
    setter.set(carrier, "traceparent", formatTraceParent(span));
    const state = span.traceState?.serialize();
    if (state !== undefined && state !== "") setter.set(carrier, "tracestate", state);
  },
  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    const span = parseTraceParent(one(getter.get(carrier, "traceparent")), one(getter.get(carrier, "tracestate"), ","));
    return span === undefined ? context : trace.setSpanContext(context, span);
  },
  fields: () => ["traceparent", "tracestate"],
};

/** Several values are one list in `tracestate`, and make a `traceparent` invalid. */
function one(value: string | string[] | undefined, separator = ""): string | null {
  if (value === undefined) return null;
  return Array.isArray(value) ? value.join(separator) : value;
}
