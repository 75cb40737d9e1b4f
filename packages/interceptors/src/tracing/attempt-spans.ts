import {
  ROOT_CONTEXT,
  type Span,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import type { AttemptObserver, OnAttempt } from "@tercel/grpc/hooks";
import type { Conventions } from "../call/conventions.ts";
import { okStatus } from "../call/status-name.ts";
import { addPeer, createMethodDescriptions, endSpan, MessageEvents, type PeerOf } from "./call-span.ts";

export interface AttemptSpansSettings {
  readonly tracer: Tracer;
  readonly propagator: TextMapPropagator;
  readonly messageEvents: boolean;
  readonly conventions: Conventions;
}

/**
 * Creates a span for each attempt of a recorded call (gRFC A72), and sends its ids instead of the call's. The ids of the call's span are
 * read from the metadata, where the interceptor has put them.
 *
 * @param calls the spans of open calls, by their ids
 */
export function traceAttempts(
  { tracer, propagator, messageEvents, conventions }: AttemptSpansSettings,
  calls: ReadonlyMap<string, Span>,
): OnAttempt {
  const describe = createMethodDescriptions("Attempt", conventions);
  return ({ method, header, earlierAttempts, isTransparent }) => {
    const extracted = propagator.extract(ROOT_CONTEXT, header, headerGetter);
    const call = trace.getSpanContext(extracted);
    if (call === undefined || (call.traceFlags & 1) === 0) return undefined;
    // The span was read from metadata, but is not remote.
    const parent = trace.setSpanContext(extracted, { ...call, isRemote: false });
    const { name, attributes, options } = describe(method);
    const own = { "previous-rpc-attempts": earlierAttempts, "transparent-retry": isTransparent };
    const span = tracer.startSpan(name, { ...options, attributes: { ...attributes, ...own } }, parent);
    if (!span.isRecording()) {
      span.end();
      return undefined;
    }
    const metadata = new Headers();
    propagator.inject(trace.setSpan(parent, span), metadata, headerSetter);
    return observer({ span, metadata, messageEvents, conventions, callSpan: () => calls.get(call.spanId) });
  };
}

interface AttemptSpan extends Pick<AttemptSpansSettings, "messageEvents" | "conventions"> {
  readonly span: Span;
  readonly metadata: Headers;
  readonly callSpan: () => Span | undefined;
}

function observer({ span, metadata, messageEvents, conventions, callSpan }: AttemptSpan): AttemptObserver {
  const peers: readonly PeerOf[] = conventions === "grpc" ? ["server"] : ["server", "network.peer"];
  const observer: AttemptObserver = {
    metadata,
    onResolutionEnd: () => callSpan()?.addEvent("Delayed name resolution complete"),
    onPick(address, hasWaited) {
      if (hasWaited) span.addEvent("Delayed LB pick complete");
      addPeer(span, peers, address);
    },
    onEnd: (error) => endSpan(span, "Attempt", conventions, error?.code ?? okStatus, error),
  };
  if (!messageEvents) return observer;
  const events = new MessageEvents(span);
  return {
    ...observer,
    onSent: (bytes, isCompressed) => events.onSent(bytes, isCompressed),
    onReceived: (bytes, isCompressed) => events.onReceived(bytes, isCompressed),
  };
}

const headerGetter: TextMapGetter<Headers> = {
  get: (header, name) => header.get(name) ?? undefined,
  keys: (header) => [...header.keys()],
};

export const headerSetter: TextMapSetter<Headers> = {
  set: (header, name, value) => header.set(name, value),
};
