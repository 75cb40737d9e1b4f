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
 * version "-" trace-id "-" parent-id "-" flags, in lower case (W3C Trace Context §3.2). A later version may have more fields after another
 * dash; version ff is invalid.
 */
const traceparent = /^(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Parses a `traceparent` and its `tracestate`. Returns undefined if `traceparent` is missing or invalid. */
export function parseTraceParent(parent: string | null, state: string | null): SpanContext | undefined {
  if (parent === null) return undefined;
  const found = traceparent.exec(parent.trim());
  if (found === null) return undefined;
  const [, version, traceId = "", spanId = "", flags = "", rest] = found;
  if (version === "00" && rest !== undefined) return undefined;
  const span: SpanContext = {
    traceId,
    spanId,
    // Version 00 defines only the lowest bit; the others are not propagated.
    traceFlags: Number.parseInt(flags, 16) & 1,
    isRemote: true,
    ...(state !== null && state !== "" && { traceState: createTraceState(state) }),
  };
  return isSpanContextValid(span) ? span : undefined;
}

const traceparentLength = 55;
/** 1 for the character codes of lower-case hexadecimal digits. */
const digits = new Uint8Array(256);
for (const digit of "0123456789abcdef") digits[digit.charCodeAt(0)] = 1;
const dash = 0x2d;
const zero = 0x30;

/**
 * Whether this is a valid `traceparent` of version 00 that is not sampled. Runs for every call, and does not use a regular expression, which
 * takes twice the time.
 */
export function isUnsampled(parent: string): boolean {
  return (
    parent.length === traceparentLength &&
    parent.startsWith("00-") &&
    isId(parent, 3, 35) &&
    parent.charCodeAt(35) === dash &&
    isId(parent, 36, 52) &&
    parent.charCodeAt(52) === dash &&
    digits[parent.charCodeAt(53)] === 1 &&
    digits[parent.charCodeAt(54)] === 1 &&
    (Number.parseInt(parent.charAt(54), 16) & 1) === 0
  );
}

/** Whether the range has only hexadecimal digits, of which at least one is not zero. */
function isId(text: string, start: number, end: number): boolean {
  let areDigits = 1;
  let differences = 0;
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    areDigits &= digits[code] as number;
    differences |= code ^ zero;
  }
  return areDigits === 1 && differences !== 0;
}

export function formatTraceParent(span: SpanContext): string {
  return `00-${span.traceId}-${span.spanId}-${(span.traceFlags & 1) === 1 ? "01" : "00"}`;
}

/** An OpenTelemetry propagator for W3C Trace Context, so that propagation works without an SDK. */
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

/** Joins several values. For `tracestate`, they form one list; a `traceparent` becomes invalid. */
function one(value: string | string[] | undefined, separator = ""): string | null {
  if (value === undefined) return null;
  return Array.isArray(value) ? value.join(separator) : value;
}
