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
   * How a trace is passed from service to service. Default: W3C Trace Context (`traceparent`, `tracestate`). `propagation` of
   * @opentelemetry/api is what the SDK was set up with.
   */
  propagator: withMethods<TextMapPropagator>("a propagator of @opentelemetry/api", "inject", "extract").or(
    w3cPropagator,
  ),
  /**
   * The share of traces that begin here and are recorded, 0 to 1. A call that already belongs to a trace follows that. Default 1: the SDK's
   * sampler decides alone.
   */
  sampleRate: share().or(1),
  /** Whether each message of a call is an event of its span, and of its attempt's. Default false: a long stream would fill its span. */
  messageEvents: flag().or(false),
  /**
   * Whose names spans and their attributes have. Default `opentelemetry`, or `both` where the environment variable
   * OTEL_SEMCONV_STABILITY_OPT_IN has `rpc/dup`. `grpc` is what dashboards know that were made for gRFC A72.
   */
  conventions: conventionsOption(),
};

export type ClientTracingOptions = OptionsOf<typeof clientTracingOptions>;

export const serverTracingOptions = {
  ...clientTracingOptions,
  /** Whether a trace that the client sends is continued. Default true; false where clients are strangers. */
  acceptIncoming: flag().or(true),
};

export type ServerTracingOptions = OptionsOf<typeof serverTracingOptions>;

/**
 * A server interceptor that makes a span of each call, a child of the client's. Handlers run inside of it, streams included, so that
 * what they call continues the trace.
 *
 * @throws TypeError for an unknown option or convention, RangeError for a rate out of bounds
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
 * A client interceptor that makes a span of each call, a child of the running one, and sends the trace on. The running span is that of
 * the call's context values (a handler may pass its own), else the active one. On Tercel's channels each attempt to make the call is
 * a child of its span, and the parent of the server's.
 *
 * @throws TypeError for an unknown option or convention, RangeError for a rate out of bounds
 */
export function createClientTracing(options: ClientTracingOptions = {}): Interceptor {
  const settings = resolve("Sent", readOptions("createClientTracing", clientTracingOptions, options));
  /** Recorded calls that are open, by the ids of their spans: attempts have no other reference to their call. */
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
    // The API's own tracer is used until an SDK is set up, and delegates to it then.
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
    // Not recorded, and passed on as such: otherwise the next service would begin a trace of its own.
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
  // Without an SDK, or when the trace is not sampled, there is nothing to write down.
  if (!span.isRecording()) return new UnrecordedCall(span, inside);
  const end: CallObserver = {
    runner: () => within(inside),
    onEnd(status, error) {
      // By now, whichever of the two interceptors is the outer one.
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
 * A Tercel server reports messages with their sizes. The last is sent after interceptors have seen the end of the call, so the
 * span ends when both are done.
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
    // The handler's response may not reach the client.
    else onOver = (endedBy) => end.onEnd(endedBy?.code ?? status, endedBy ?? error);
  };
}

/** Its trace is passed on unchanged: a span of its own could not be found by anyone. */
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
    // In the call's own scope the context is active already, where startOtlpTracing has set the context manager.
    return context.active() === this.inside ? undefined : inside;
  }

  onEnd(): void {}
}

const requestGetter: TextMapGetter<UnaryRequest | StreamRequest> = {
  get: (request, name) => readHeader(request, name.toLowerCase()) ?? undefined,
  keys: (request) => [...request.header.keys()],
};

/** The trace and span of the running call, for logs of your own; undefined where nothing is traced. */
export function currentTrace(): { readonly traceId: string; readonly spanId: string } | undefined {
  const span = trace.getSpanContext(context.active());
  return span !== undefined && isSpanContextValid(span) ? { traceId: span.traceId, spanId: span.spanId } : undefined;
}
