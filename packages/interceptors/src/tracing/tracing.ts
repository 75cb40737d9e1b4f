import { randomBytes } from "node:crypto";
import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError, type Interceptor, type StreamRequest, type UnaryRequest } from "@connectrpc/connect";
import {
  type Context,
  context,
  isSpanContextValid,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  type SpanOptions,
  SpanStatusCode,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import { type CallRequest, callInfo, printable, readHeader, refuseUnknownOptions } from "@tercel/grpc";
import { authorityOf } from "../call/authority-of.ts";
import { scopeRunner } from "../call/call-scope.ts";
import { followsUnsampled } from "../call/follows-parents.ts";
import { pathOfMethod } from "../call/method-names.ts";
import { type CallObserver, observeCalls, type Side } from "../call/observe-calls.ts";
import { requestIdOn } from "../call/request-id.ts";
import type { Status } from "../call/status-name.ts";
import { traceContextKey, traceContextOf } from "../call/trace-context.ts";
import { UnsampledContext } from "../call/unsampled-context.ts";
import { isUnsampled, parseTraceParent, w3cPropagator } from "./trace-parent.ts";

export interface ClientTracingOptions {
  /** Makes the spans. Default: the global tracer provider's tracer "@tercel/interceptors". */
  tracer?: Tracer;
  /**
   * How a trace goes from service to service. Default: W3C Trace Context (`traceparent`, `tracestate`). `propagation` of
   * @opentelemetry/api takes what the SDK was set up with.
   */
  propagator?: TextMapPropagator;
  /**
   * The share of traces that begin here and are recorded, 0 to 1. A call that belongs to a trace already follows that. Default: the SDK's
   * sampler decides alone.
   */
  sampleRate?: number;
  /** Whether each message of a call is an event of its span. Default false: a long stream would fill its span. */
  messageEvents?: boolean;
}

export interface ServerTracingOptions extends ClientTracingOptions {
  /** Whether a trace that the client sends is continued. Default true; false where clients are strangers. */
  acceptIncoming?: boolean;
}

const clientOptionNames: readonly (keyof ClientTracingOptions)[] = [
  "tracer",
  "propagator",
  "sampleRate",
  "messageEvents",
];

/** Statuses that are a server's fault and not its client's (OpenTelemetry's semantic conventions for gRPC). */
const serverFaults: ReadonlySet<Status> = new Set([
  Code.Unknown,
  Code.DeadlineExceeded,
  Code.Unimplemented,
  Code.Internal,
  Code.Unavailable,
  Code.DataLoss,
]);

/** Messages beyond this many are no events any more: a span is kept in memory until its call ends. */
const maxMessageEvents = 128;
const maxTextChars = 256;

/**
 * A server interceptor that makes a span of each call, a child of the client's. Handlers run inside of it, streams included, so that
 * what they call continues the trace.
 *
 * @throws TypeError for an unknown option, RangeError for a rate that is none
 */
export function createServerTracing(options: ServerTracingOptions = {}): Interceptor {
  const settings = resolve("createServerTracing", options, [...clientOptionNames, "acceptIncoming"]);
  const { acceptIncoming = true } = options;
  const mayFollow = acceptIncoming && options.tracer === undefined && options.propagator === undefined;
  return observeCalls("server", (request) => {
    const followed = mayFollow && followsUnsampled() ? unsampledParent(request) : undefined;
    if (followed !== undefined) {
      request.contextValues.set(traceContextKey, followed);
      return new FollowedCall(request, followed);
    }
    const parent = acceptIncoming ? settings.propagator.extract(ROOT_CONTEXT, request, requestGetter) : ROOT_CONTEXT;
    const span = startSpan(settings, request.method, SpanKind.SERVER, parent);
    if (span.isRecording()) addPeer(span, "client", request.contextValues.get(callInfo)?.peerAddress);
    const inside = trace.setSpan(parent, span);
    request.contextValues.set(traceContextKey, inside);
    return observer("server", settings, request, span, inside);
  });
}

/**
 * A client interceptor that makes a span of each call, a child of the running one, and sends the trace on. The running span is that of
 * the call's context values (a handler may hand over its own), else the active one.
 *
 * @throws TypeError for an unknown option, RangeError for a rate that is none
 */
export function createClientTracing(options: ClientTracingOptions = {}): Interceptor {
  const settings = resolve("createClientTracing", options, clientOptionNames);
  return observeCalls("client", (request) => {
    const parent = traceContextOf(request);
    const span = startSpan(settings, request.method, SpanKind.CLIENT, parent);
    if (span.isRecording()) addPeer(span, "server", authorityOf(request.url));
    const inside = trace.setSpan(parent, span);
    settings.propagator.inject(inside, request.header, headerSetter);
    return observer("client", settings, request, span, inside);
  });
}

interface Settings {
  /** Looked up with each call: an SDK may be set up after the interceptor. */
  readonly tracer: Tracer;
  readonly propagator: TextMapPropagator;
  readonly sampleRate: number;
  readonly messageEvents: boolean;
  readonly methods: WeakMap<DescMethod, DescribedMethod>;
}

function resolve(where: string, options: ServerTracingOptions, known: readonly string[]): Settings {
  refuseUnknownOptions(where, options, known);
  const { sampleRate = 1 } = options;
  if (!(sampleRate >= 0 && sampleRate <= 1)) {
    throw new RangeError(`${where}: sampleRate is ${sampleRate}; it has to be from 0 to 1`);
  }
  return {
    // The API's own tracer stands in until an SDK is there, and hands on to it then.
    tracer: options.tracer ?? trace.getTracer("@tercel/interceptors"),
    propagator: options.propagator ?? w3cPropagator,
    sampleRate,
    messageEvents: options.messageEvents ?? false,
    methods: new WeakMap(),
  };
}

function startSpan(settings: Settings, method: DescMethod, kind: SpanKind, parent: Context): Span {
  const { sampleRate, methods } = settings;
  if (sampleRate < 1 && trace.getSpanContext(parent) === undefined && Math.random() >= sampleRate) {
    // Not recorded, and told on as that: otherwise the next service would begin a trace of its own.
    const traceId = randomBytes(16).toString("hex");
    return trace.wrapSpanContext({ traceId, spanId: randomBytes(8).toString("hex"), traceFlags: 0 });
  }
  let described = methods.get(method);
  if (described === undefined) {
    described = describeMethod(method, kind);
    methods.set(method, described);
  }
  return settings.tracer.startSpan(described.name, described.options, parent);
}

/** What all spans of a method begin with. */
interface DescribedMethod {
  readonly name: string;
  readonly options: SpanOptions;
}

function describeMethod(method: DescMethod, kind: SpanKind): DescribedMethod {
  const attributes = {
    "rpc.system": "grpc",
    "rpc.service": method.parent.typeName,
    "rpc.method": method.name,
  };
  return { name: pathOfMethod(method), options: { kind, attributes } };
}

function observer(side: Side, settings: Settings, request: CallRequest, span: Span, inside: Context): CallObserver {
  // Without an SDK, or when the trace is not sampled, there is nothing to write down.
  if (!span.isRecording()) return new UnrecordedCall(span, inside);
  const run = <R>(step: () => R): R => context.with(inside, step);
  const end: CallObserver = {
    run,
    onEnd(status, error) {
      span.setAttribute("rpc.grpc.status_code", status);
      // By now, whichever of the two interceptors is the outer one.
      const id = requestIdOn(side, request);
      if (id !== undefined) span.setAttribute("rpc.grpc.request.metadata.x-request-id", [printable(id, maxTextChars)]);
      const isError = side === "client" ? status !== 0 : serverFaults.has(status);
      if (isError) span.setStatus({ code: SpanStatusCode.ERROR, message: printable(textOf(error), maxTextChars) });
      span.end();
    },
  };
  return settings.messageEvents ? withMessageEvents(end, side, span) : end;
}

/** Its trace is handed on as it came: a span of its own would be one that nobody can find. */
function unsampledParent(request: CallRequest): Context | undefined {
  const parent = readHeader(request, "traceparent");
  if (parent === null || !isUnsampled(parent)) return undefined;
  return new UnsampledContext(parent, readHeader(request, "tracestate"), parseTraceParent);
}

class UnrecordedCall implements CallObserver {
  private readonly span: Span;
  private readonly inside: Context;

  constructor(span: Span, inside: Context) {
    this.span = span;
    this.inside = inside;
  }

  run<R>(step: () => R): R {
    return context.with(this.inside, step);
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

  run<R>(step: () => R): R {
    // In the call's own scope the context is active already, where startOtlpTracing has set the context manager.
    const enter = scopeRunner(this.request);
    const within = (): R => context.with(this.inside, step);
    return enter === undefined ? within() : enter(within);
  }

  onEnd(): void {}
}

function withMessageEvents(end: CallObserver, side: Side, span: Span): CallObserver {
  const counts = { SENT: 0, RECEIVED: 0 };
  const add = (type: "SENT" | "RECEIVED"): void => {
    const id = ++counts[type];
    if (id <= maxMessageEvents) span.addEvent("rpc.message", { "rpc.message.type": type, "rpc.message.id": id });
  };
  const [request, response] = side === "client" ? (["SENT", "RECEIVED"] as const) : (["RECEIVED", "SENT"] as const);
  return { ...end, onRequest: () => add(request), onResponse: () => add(response) };
}

/** `host:port`, IPv6 in brackets. */
function addPeer(span: Span, who: "client" | "server", address: string | undefined): void {
  if (address === undefined || address === "") return;
  const [, host = address, port] = /^(.*?)(?::(\d+))?$/.exec(address) ?? [];
  span.setAttribute(`${who}.address`, host.replace(/^\[|\]$/g, ""));
  if (port !== undefined) span.setAttribute(`${who}.port`, Number(port));
}

function textOf(error: unknown): string {
  if (error instanceof ConnectError) return error.rawMessage;
  return error instanceof Error ? `${error.name}: ${error.message}` : "";
}

const requestGetter: TextMapGetter<UnaryRequest | StreamRequest> = {
  get: (request, name) => readHeader(request, name.toLowerCase()) ?? undefined,
  keys: (request) => [...request.header.keys()],
};

const headerSetter: TextMapSetter<Headers> = {
  set: (header, name, value) => header.set(name, value),
};

/** The trace and span of the running call, for logs of your own; undefined where nothing is traced. */
export function currentTrace(): { readonly traceId: string; readonly spanId: string } | undefined {
  const span = trace.getSpanContext(context.active());
  return span !== undefined && isSpanContextValid(span) ? { traceId: span.traceId, spanId: span.spanId } : undefined;
}
