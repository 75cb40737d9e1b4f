import type { DescMethod } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import { type Attributes, type Context, type Histogram, type Meter, metrics } from "@opentelemetry/api";
import { callInfo } from "@tercel/grpc";
import type { UnhandledCall } from "@tercel/grpc/hooks";
import { type CallRequest, type OnAttempt, targetOf } from "@tercel/grpc/hooks";
import { authorityOf } from "../call/authority-of.ts";
import { type Conventions, chooseConventions, conventionsOption } from "../call/conventions.ts";
import { type CallObserver, observeCalls, type Side } from "../call/observe-calls.ts";
import { type OptionsOf, readOptions, text, withMethods } from "../call/options.ts";
import { okStatus, type Status } from "../call/status-name.ts";
import { traceContextOf } from "../call/trace-context.ts";
import { createClientAttributes, createServerAttributes, type MethodAttributes } from "./metric-attributes.ts";

export const otelMetricsOptions = {
  /** Creates the instruments. Default: the global meter provider's meter "@tercel/interceptors". */
  meter: withMethods<Meter>("a meter of @opentelemetry/api", "createCounter", "createHistogram"),
  /**
   * The naming conventions for the duration of calls: `rpc.server.call.duration` and `rpc.client.call.duration` of OpenTelemetry, or
   * `grpc.….call.duration` of gRFC A66. Only A66 defines the other instruments. Default `opentelemetry`, or `both` if the environment variable
   * OTEL_SEMCONV_STABILITY_OPT_IN has `rpc/dup`.
   */
  conventions: conventionsOption(),
};

export type OtelMetricsOptions = OptionsOf<typeof otelMetricsOptions>;

export const clientOtelMetricsOptions = {
  ...otelMetricsOptions,
  /**
   * The value of the attribute `grpc.target`, for applications with many channels; `server.address` and `server.port` are left out then.
   * Default: the channel's target as a URI. Calls on transports other than Tercel's have none.
   */
  target: text(),
};

export type ClientOtelMetricsOptions = OptionsOf<typeof clientOtelMetricsOptions>;

/** A metrics interceptor for a server, which can also record calls that reach no interceptor. */
export interface ServerOtelMetrics extends Interceptor {
  /** For the server's option `onUnhandledCall`. Calls of unknown methods are recorded as `other`, as A66 requires. */
  readonly recordUnhandled: (call: UnhandledCall) => void;
}

/** The bounds that gRFC A66 recommends for durations, in seconds. */
const durationBounds = [
  0, 0.00001, 0.00005, 0.0001, 0.0003, 0.0006, 0.0008, 0.001, 0.002, 0.003, 0.004, 0.005, 0.006, 0.008, 0.01, 0.013,
  0.016, 0.02, 0.025, 0.03, 0.04, 0.05, 0.065, 0.08, 0.1, 0.13, 0.16, 0.2, 0.25, 0.3, 0.4, 0.5, 0.65, 0.8, 1, 2, 5, 10,
  20, 50, 100,
];

/** The bounds that gRFC A66 recommends for sizes, in bytes. */
const sizeBounds = [
  0, 1024, 2048, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864, 268435456, 1073741824, 4294967296,
];

/** The bounds that OpenTelemetry recommends for durations, in seconds. */
const callDurationBounds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/**
 * Creates a server interceptor that records `rpc.server.call.duration`, and the instruments of gRFC A66: `grpc.server.call.started` and the
 * total compressed message sizes of a call. On servers other than Tercel's, there are no sizes, and a call ends with its handler.
 *
 * @throws TypeError for an unknown option or convention
 */
export function createServerOtelMetrics(options: OtelMetricsOptions = {}): ServerOtelMetrics {
  const settings = readOptions("createServerOtelMetrics", otelMetricsOptions, options);
  const meter = settings.meter ?? defaultMeter();
  const started = meter.createCounter("grpc.server.call.started", {
    unit: "{call}",
    description: "Started calls, including incomplete ones.",
  });
  const duration = createCallDuration(meter, "server", chooseConventions(settings.conventions));
  const sizes = createSizes(meter, "grpc.server.call", "response", "request");
  const attributesOf = createServerAttributes();
  const recordUnhandled = ({ method, code, durationMs }: UnhandledCall): void =>
    // No sizes, because the messages of the call were not read.
    duration.record(durationMs / 1000, attributesOf(method), code);
  /** Methods whose calls are reported at their arrival. */
  const reported = new WeakSet<DescMethod>();
  const begin = (request: CallRequest): CallObserver | undefined => {
    const attributes = attributesOf(request.method);
    const info = request.contextValues.get(callInfo);
    const startMs = info?.arrivedAtMs ?? performance.now();
    if (info?.arrivedAtMs === undefined) started.add(1, attributes.begun);
    const record = (status: Status): void =>
      // The context links a bucket to the trace as an exemplar.
      duration.record((performance.now() - startMs) / 1000, attributes, status, traceContextOf(request));
    if (info === undefined) return { onEnd: record };
    info.whenOver(({ endedBy, sentMessageBytes, receivedMessageBytes }) => {
      const status = endedBy?.code ?? okStatus;
      record(status);
      sizes.record(sentMessageBytes, receivedMessageBytes, attributes.ended(status), traceContextOf(request));
    });
    return undefined;
  };
  const interceptor = observeCalls("server", begin, {
    readsResponses: false,
    onArrival(method) {
      reported.add(method);
      started.add(1, attributesOf(method).begun);
    },
    onUnhandled: (method, code, durationMs) => recordUnhandled({ method, code, durationMs }),
  });
  return Object.assign(interceptor, {
    recordUnhandled(call: UnhandledCall): void {
      if (call.method !== undefined && reported.has(call.method)) return;
      started.add(1, attributesOf(call.method).begun);
      recordUnhandled(call);
    },
  });
}

/**
 * Creates a client interceptor that records `rpc.client.call.duration` and, on Tercel's channels, the instruments of gRFC A66 for the attempts of
 * calls: `grpc.client.attempt.started`, `.duration`, and the total compressed message sizes.
 *
 * @throws TypeError for an unknown option or convention
 */
export function createClientOtelMetrics(options: ClientOtelMetricsOptions = {}): Interceptor {
  const settings = readOptions("createClientOtelMetrics", clientOtelMetricsOptions, options);
  const meter = settings.meter ?? defaultMeter();
  const duration = createCallDuration(meter, "client", chooseConventions(settings.conventions));
  const attributesOf = createClientAttributes(settings.target);
  return observeCalls(
    "client",
    (request) => {
      const attributes = attributesOf(targetOf(request), authorityOf(request.url), request.method);
      const startMs = performance.now();
      return {
        onEnd(status) {
          const seconds = (performance.now() - startMs) / 1000;
          duration.record(seconds, attributes, status, traceContextOf(request));
        },
      };
    },
    { onAttempt: recordAttempts(meter, (target, method) => attributesOf(target, undefined, method)) },
  );
}

function recordAttempts(
  meter: Meter,
  attributesOf: (target: string | undefined, method: DescMethod) => MethodAttributes,
): OnAttempt {
  const started = meter.createCounter("grpc.client.attempt.started", {
    unit: "{attempt}",
    description: "Started attempts, including incomplete ones.",
  });
  const duration = createDuration(
    meter,
    "grpc.client.attempt.duration",
    "Time from the start of an attempt to its end, including the time to pick a connection.",
  );
  const sizes = createSizes(meter, "grpc.client.attempt", "request", "response");
  return (attempt) => {
    const attributes = attributesOf(attempt.target, attempt.method);
    const startMs = performance.now();
    let sentBytes = 0;
    let receivedBytes = 0;
    started.add(1, attributes.begun);
    return {
      onSent(bytes) {
        sentBytes += bytes;
      },
      onReceived(bytes) {
        receivedBytes += bytes;
      },
      onEnd(error) {
        const ended = attributes.ended(error?.code ?? okStatus);
        duration.record((performance.now() - startMs) / 1000, ended);
        sizes.record(sentBytes, receivedBytes, ended);
      },
    };
  };
}

function defaultMeter(): Meter {
  return metrics.getMeter("@tercel/interceptors");
}

interface CallDuration {
  record(seconds: number, attributes: MethodAttributes, status: Status, context?: Context): void;
}

function createCallDuration(meter: Meter, side: Side, conventions: Conventions): CallDuration {
  const description =
    side === "server"
      ? "Time from the arrival of a call to its end on the server."
      : "Time from the start of a call to its end, including all attempts.";
  const ofGrpc =
    conventions === "opentelemetry" ? undefined : createDuration(meter, `grpc.${side}.call.duration`, description);
  const ofOpenTelemetry =
    conventions === "grpc"
      ? undefined
      : createDuration(meter, `rpc.${side}.call.duration`, description, callDurationBounds);
  return {
    record(seconds, attributes, status, context) {
      ofGrpc?.record(seconds, attributes.ended(status), context);
      ofOpenTelemetry?.record(seconds, attributes.endedCall(status), context);
    },
  };
}

function createDuration(meter: Meter, name: string, description: string, bounds = durationBounds): Histogram {
  return meter.createHistogram(name, { unit: "s", description, advice: { explicitBucketBoundaries: bounds } });
}

interface Sizes {
  record(sentBytes: number, receivedBytes: number, attributes: Attributes, context?: Context): void;
}

function createSizes(meter: Meter, of: string, sentKind: string, receivedKind: string): Sizes {
  const [sent, received] = (["sent", "rcvd"] as const).map((direction) => {
    const kind = direction === "sent" ? sentKind : receivedKind;
    return meter.createHistogram(`${of}.${direction}_total_compressed_message_size`, {
      unit: "By",
      description: `Total size of all ${kind} messages of a call, compressed if they are sent so, without framing and metadata.`,
      advice: { explicitBucketBoundaries: sizeBounds },
    });
  }) as [Histogram, Histogram];
  return {
    record(sentBytes, receivedBytes, attributes, context) {
      sent.record(sentBytes, attributes, context);
      received.record(receivedBytes, attributes, context);
    },
  };
}
