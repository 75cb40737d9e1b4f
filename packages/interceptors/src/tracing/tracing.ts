import { randomBytes } from "node:crypto";
import type { DescMethod } from "@bufbuild/protobuf";
import type { ConnectError, Interceptor, StreamRequest, UnaryRequest } from "@connectrpc/connect";
import {
  type Context,
  context,
  isSpanContextValid,
  ROOT_CONTEXT,
  type Span,
  type TextMapGetter,
  type TextMapPropagator,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import { type CallInfo, callInfo } from "@tercel/grpc";
import { type CallRequest, type RunStep, readHeader } from "@tercel/grpc/hooks";
import { printable } from "@tercel/grpc/internal";
import { authorityOf } from "../call/authority-of.ts";
import { scopeRunner } from "../call/call-scope.ts";
import { chooseConventions, conventionsOption } from "../call/conventions.ts";
import { followsUnsampled } from "../call/follows-parents.ts";
import { type CallObserver, observeCalls, type Side } from "../call/observe-calls.ts";
import { flag, type OptionsOf, readOptions, type SettingsOf, share, withMethods } from "../call/options.ts";
import { requestIdHeaderOf, requestIdOn } from "../call/request-id.ts";
import { traceContextKey, traceContextOf } from "../call/trace-context.ts";
import { UnsampledContext } from "../call/unsampled-context.ts";
import { type AttemptSpansSettings, headerSetter, traceAttempts } from "./attempt-spans.ts";
import {
  addPeer,
  addRequestMetadata,
  createMethodDescriptions,
  type DescribedMethod,
  endSpan,
  MessageEvents,
  maxTextChars,
  type PeerOf,
  type SpanOf,
} from "./call-span.ts";
import { isUnsampled, parseTraceParent, w3cPropagator } from "./trace-parent.ts";

export const clientTracingOptions = {
  /** Creates the spans. Default: the global tracer provider's tracer "@tercel/interceptors". */
  tracer: withMethods<Tracer>("a tracer of @opentelemetry/api", "startSpan"),
  /**
   * Propagates traces between services. Default: W3C Trace Context (`traceparent`, `tracestate`). `propagation` of @opentelemetry/api is the
   * propagator of the SDK.
   */
  propagator: withMethods<TextMapPropagator>("a propagator of @opentelemetry/api", "inject", "extract").or(
    w3cPropagator,
  ),
  /**
   * The share of the traces that start here which is recorded, from 0 to 1. A call that already belongs to a trace follows its decision.
   * Default 1: only the sampler of the SDK decides.
   */
  sampleRate: share().or(1),
  /** Whether each message of a call is an event of the call's span and its attempt's. Default false: long streams have many messages. */
  messageEvents: flag().or(false),
  /**
   * The naming conventions of spans and attributes. Default `opentelemetry`, or `both` if the environment variable
   * OTEL_SEMCONV_STABILITY_OPT_IN has `rpc/dup`. Use `grpc` for dashboards that follow gRFC A72.
   */
  conventions: conventionsOption(),
};

export type ClientTracingOptions = OptionsOf<typeof clientTracingOptions>;

export const serverTracingOptions = {
  ...clientTracingOptions,
  /** Whether to continue the trace of the client. Default true. Set false if the clients are not trusted. */
  acceptIncoming: flag().or(true),
};

export type ServerTracingOptions = OptionsOf<typeof serverTracingOptions>;

/**
 * Creates a server interceptor that creates a span for each call, as a child of the client's. Handlers, including those of streams, run in the
 * span's context, so that the calls they make continue the trace.
 *
 * @throws TypeError for an unknown option or convention, RangeError for a rate that is out of range
 */
export function createServerTracing(options: ServerTracingOptions = {}): Interceptor {
  const given = readOptions("createServerTracing", serverTracingOptions, options);
  const settings = resolve("Recv", given);
  const { acceptIncoming } = given;
  const peers: readonly PeerOf[] = settings.conventions === "grpc" ? ["client"] : ["client", "network.peer"];
  const mayFollow = acceptIncoming && options.tracer === undefined && options.propagator === undefined;
  const begin = (request: CallRequest): CallObserver => {
    const followed = mayFollow && followsUnsampled() ? unsampledParent(request) : undefined;
    if (followed !== undefined) {
      request.contextValues.set(traceContextKey, followed);
      return new FollowedCall(request, followed);
    }
    const parent = acceptIncoming ? settings.propagator.extract(ROOT_CONTEXT, request, requestGetter) : ROOT_CONTEXT;
    const span = startSpan(settings, request.method, parent);
    if (span.isRecording()) addPeer(span, peers, request.contextValues.get(callInfo)?.peerAddress);
    const inside = trace.setSpan(parent, span);
    request.contextValues.set(traceContextKey, inside);
    return observer("server", settings, request, span, inside);
  };
  return observeCalls("server", begin, { readsResponses: false });
}

/**
 * Creates a client interceptor that creates a span for each call, as a child of the current one, and propagates the trace. The current span is
 * that of the call's context values (a handler may pass its own), or the active one. On Tercel's channels, each attempt has a span, which is a
 * child of the call's and the parent of the server's.
 *
 * @throws TypeError for an unknown option or convention, RangeError for a rate that is out of range
 */
export function createClientTracing(options: ClientTracingOptions = {}): Interceptor {
  const settings = resolve("Sent", readOptions("createClientTracing", clientTracingOptions, options));
  /** The spans of open recorded calls by their ids, which are an attempt's only reference to its call. */
  const open = new Map<string, Span>();
  const begin = (request: CallRequest): CallObserver => {
    const parent = traceContextOf(request);
    const span = startSpan(settings, request.method, parent);
    if (span.isRecording()) {
      addPeer(span, ["server"], authorityOf(request.url));
      open.set(span.spanContext().spanId, span);
    }
    const inside = trace.setSpan(parent, span);
    settings.propagator.inject(inside, request.header, headerSetter);
    return observer("client", settings, request, span, inside, () => open.delete(span.spanContext().spanId));
  };
  return observeCalls("client", begin, { onAttempt: traceAttempts(settings, open) });
}

interface Settings extends AttemptSpansSettings {
  readonly sampleRate: number;
  readonly describe: (method: DescMethod) => DescribedMethod;
}

function resolve(of: SpanOf, given: SettingsOf<typeof clientTracingOptions>): Settings {
  const conventions = chooseConventions(given.conventions);
  return {
    // The API's tracer delegates to the SDK as soon as one is registered.
    tracer: given.tracer ?? trace.getTracer("@tercel/interceptors"),
    propagator: given.propagator,
    sampleRate: given.sampleRate,
    messageEvents: given.messageEvents,
    conventions,
    describe: createMethodDescriptions(of, conventions),
  };
}

function startSpan(settings: Settings, method: DescMethod, parent: Context): Span {
  const { sampleRate } = settings;
  if (sampleRate < 1 && trace.getSpanContext(parent) === undefined && Math.random() >= sampleRate) {
    // The decision is propagated, or the next service would start its own trace.
    const traceId = randomBytes(16).toString("hex");
    return trace.wrapSpanContext({ traceId, spanId: randomBytes(8).toString("hex"), traceFlags: 0 });
  }
  const { name, options } = settings.describe(method);
  return settings.tracer.startSpan(name, options, parent);
}

function observer(
  side: Side,
  settings: Settings,
  request: CallRequest,
  span: Span,
  inside: Context,
  onEnded?: () => void,
): CallObserver {
  // Without an SDK, or if the trace is not sampled, the span records nothing.
  if (!span.isRecording()) return new UnrecordedCall(span, inside);
  const end: CallObserver = {
    runner: () => within(inside),
    onEnd(status, error) {
      // At the end, because the request id interceptor may be inside this one.
      const id = requestIdOn(side, request);
      if (id !== undefined) {
        const header = requestIdHeaderOf(side, request);
        addRequestMetadata(span, settings.conventions, header, printable(id, maxTextChars));
      }
      endSpan(span, side === "client" ? "Sent" : "Recv", settings.conventions, status, error);
      onEnded?.();
    },
  };
  if (!settings.messageEvents) return end;
  const events = new MessageEvents(span);
  const info = side === "server" ? request.contextValues.get(callInfo) : undefined;
  if (info !== undefined) return { ...end, onEnd: endWithCall(info, events, end) };
  const [asked, answered] = side === "client" ? (["SENT", "RECEIVED"] as const) : (["RECEIVED", "SENT"] as const);
  return { ...end, onRequest: () => events.add(asked), onResponse: () => events.add(answered) };
}

/**
 * A Tercel server reports messages with their sizes. It sends the last message after the interceptors have seen the end of the call, so the
 * span ends when both have happened.
 */
function endWithCall(info: CallInfo, events: MessageEvents, end: CallObserver): CallObserver["onEnd"] {
  let isOver = false;
  let onOver: ((endedBy: ConnectError | undefined) => void) | undefined;
  events.skipReceived(info.watchMessages(events));
  info.whenOver(({ endedBy }) => {
    isOver = true;
    onOver?.(endedBy);
  });
  return (status, error) => {
    if (isOver) end.onEnd(status, error);
    // The handler may have succeeded although its response does not reach the client.
    else onOver = (endedBy) => end.onEnd(endedBy?.code ?? status, endedBy ?? error);
  };
}

/** Returns the context of a caller whose trace is not recorded. It is propagated unchanged, without a new span, which nothing would record. */
function unsampledParent(request: CallRequest): Context | undefined {
  const parent = readHeader(request, "traceparent");
  if (parent === null || !isUnsampled(parent)) return undefined;
  return new UnsampledContext(parent, readHeader(request, "tracestate"), parseTraceParent);
}

function within(inside: Context): RunStep {
  return (step) => context.with(inside, step);
}

class UnrecordedCall implements CallObserver {
  private readonly span: Span;
  private readonly inside: Context;

  constructor(span: Span, inside: Context) {
    this.span = span;
    this.inside = inside;
  }

  runner(): RunStep {
    return within(this.inside);
  }

  onEnd(): void {
    this.span.end();
  }
}

/** A call of a caller whose trace is not recorded. */
class FollowedCall implements CallObserver {
  private readonly request: CallRequest;
  private readonly inside: Context;

  constructor(request: CallRequest, inside: Context) {
    this.request = request;
    this.inside = inside;
  }

  runner(mayEnter: boolean): RunStep | undefined {
    const enter = scopeRunner(this.request, undefined, mayEnter);
    const inside = within(this.inside);
    if (enter !== undefined) return (step) => enter(() => inside(step));
    // If startOtlpTracing has set the context manager, the context is already active in the call's own scope.
    return context.active() === this.inside ? undefined : inside;
  }

  onEnd(): void {}
}

const requestGetter: TextMapGetter<UnaryRequest | StreamRequest> = {
  get: (request, name) => readHeader(request, name.toLowerCase()) ?? undefined,
  keys: (request) => [...request.header.keys()],
};

/** Returns the ids of the current trace and span, for your own logs. Undefined without a trace. */
export function currentTrace(): { readonly traceId: string; readonly spanId: string } | undefined {
  const span = trace.getSpanContext(context.active());
  return span !== undefined && isSpanContextValid(span) ? { traceId: span.traceId, spanId: span.spanId } : undefined;
}
