import type { DescMethod } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import { type Attributes, type Context, type Histogram, type Meter, metrics } from "@opentelemetry/api";
import { callInfo, type UnhandledCall } from "@tercel/grpc";
import { type CallRequest, type OnAttempt, targetOf } from "@tercel/grpc/hooks";
import { refuseUnknownOptions } from "@tercel/grpc/internal";
import { methodPath } from "../call/method-path.ts";
import { type CallObserver, observeCalls } from "../call/observe-calls.ts";
import { okStatus, type Status, statusName } from "../call/status-name.ts";
import { traceContextOf } from "../call/trace-context.ts";

export interface OtelMetricsOptions {
  /** Where the instruments are made. Default: the global meter provider's meter "@tercel/interceptors". */
  meter?: Meter;
}

export interface ClientOtelMetricsOptions extends OtelMetricsOptions {
  /**
   * The attribute `grpc.target`, for channels that are many. Default: what the channel was made with, as a URI; on transports that are
   * not ours calls have none.
   */
  target?: string;
}

/** An interceptor that can record calls as well which no interceptor sees. */
export interface ServerOtelMetrics extends Interceptor {
  /** For the server's option `onUnhandledCall`: methods that the server does not have are recorded as `other`, as A66 asks. */
  readonly recordUnhandled: (call: UnhandledCall) => void;
}

/** As gRFC A66 advises for durations, in seconds. */
const durationBounds = [
  0, 0.00001, 0.00005, 0.0001, 0.0003, 0.0006, 0.0008, 0.001, 0.002, 0.003, 0.004, 0.005, 0.006, 0.008, 0.01, 0.013,
  0.016, 0.02, 0.025, 0.03, 0.04, 0.05, 0.065, 0.08, 0.1, 0.13, 0.16, 0.2, 0.25, 0.3, 0.4, 0.5, 0.65, 0.8, 1, 2, 5, 10,
  20, 50, 100,
];

/** As gRFC A66 advises for sizes, in bytes. */
const sizeBounds = [
  0, 1024, 2048, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864, 268435456, 1073741824, 4294967296,
];

/**
 * A server interceptor that records gRFC A66's instruments of a call: `grpc.server.call.started`, `.duration` and the total sizes of its
 * messages as they were sent. On a server that is not ours there are no sizes, and a call ends for it with its handler.
 *
 * @throws TypeError for an unknown option
 */
export function createServerOtelMetrics(options: OtelMetricsOptions = {}): ServerOtelMetrics {
  refuseUnknownOptions("createServerOtelMetrics", options, ["meter"]);
  const meter = options.meter ?? defaultMeter();
  const started = meter.createCounter("grpc.server.call.started", {
    unit: "{call}",
    description: "Calls begun, those that are not complete included.",
  });
  const duration = createDuration(
    meter,
    "grpc.server.call.duration",
    "From the call's arrival to its end, as the server sees it.",
  );
  const sizes = createSizes(meter, "grpc.server.call", "response", "request");
  const attributesOf = createAttributes({});
  const recordUnhandled = ({ method, code, durationMs }: UnhandledCall): void =>
    // Its messages were not read, so it has no sizes.
    duration.record(durationMs / 1000, attributesOf(method).ended(code));
  /** Methods whose calls are reported as they arrive. */
  const reported = new WeakSet<DescMethod>();
  const begin = (request: CallRequest): CallObserver | undefined => {
    const attributes = attributesOf(request.method);
    const info = request.contextValues.get(callInfo);
    const startMs = info?.arrivedAtMs ?? performance.now();
    if (info?.arrivedAtMs === undefined) started.add(1, attributes.begun);
    const record = (status: Status): void =>
      // The context leads from a bucket to the trace.
      duration.record((performance.now() - startMs) / 1000, attributes.ended(status), traceContextOf(request));
    if (info === undefined) return { onEnd: record };
    info.whenOver(({ endedBy, sentMessageBytes, receivedMessageBytes }) => {
      const status = endedBy?.code ?? okStatus;
      record(status);
      sizes.record(sentMessageBytes, receivedMessageBytes, attributes.ended(status), traceContextOf(request));
    });
    return undefined;
  };
  const interceptor = observeCalls("server", begin, {
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
 * A client interceptor that records gRFC A66's `grpc.client.call.duration` and, on channels of ours, the instruments of the attempts that
 * calls are made of: `grpc.client.attempt.started`, `.duration` and the total sizes of their messages as they were sent.
 *
 * @throws TypeError for an unknown option
 */
export function createClientOtelMetrics(options: ClientOtelMetricsOptions = {}): Interceptor {
  refuseUnknownOptions("createClientOtelMetrics", options, ["meter", "target"]);
  const meter = options.meter ?? defaultMeter();
  const duration = createDuration(
    meter,
    "grpc.client.call.duration",
    "From the call's begin to its end, attempts included.",
  );
  const attributesOf = createTargetAttributes(options.target);
  return observeCalls(
    "client",
    (request) => {
      const attributes = attributesOf(targetOf(request), request.method);
      const startMs = performance.now();
      return {
        onEnd(status) {
          const seconds = (performance.now() - startMs) / 1000;
          duration.record(seconds, attributes.ended(status), traceContextOf(request));
        },
      };
    },
    { onAttempt: recordAttempts(meter, attributesOf) },
  );
}

function recordAttempts(meter: Meter, attributesOf: TargetAttributes): OnAttempt {
  const started = meter.createCounter("grpc.client.attempt.started", {
    unit: "{attempt}",
    description: "Attempts begun, those that are not complete included.",
  });
  const duration = createDuration(
    meter,
    "grpc.client.attempt.duration",
    "From the attempt's begin to its end, the search for a connection included.",
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

function createDuration(meter: Meter, name: string, description: string): Histogram {
  return meter.createHistogram(name, {
    unit: "s",
    description,
    advice: { explicitBucketBoundaries: durationBounds },
  });
}

interface Sizes {
  record(sentBytes: number, receivedBytes: number, attributes: Attributes, context?: Context): void;
}

function createSizes(meter: Meter, of: string, sentKind: string, receivedKind: string): Sizes {
  const [sent, received] = (["sent", "rcvd"] as const).map((direction) => {
    const kind = direction === "sent" ? sentKind : receivedKind;
    return meter.createHistogram(`${of}.${direction}_total_compressed_message_size`, {
      unit: "By",
      description: `Bytes of all ${kind} messages together, compressed where they are, without framing and metadata.`,
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

interface MethodAttributes {
  readonly begun: Attributes;
  ended(status: number): Attributes;
}

type TargetAttributes = (target: string | undefined, method: DescMethod) => MethodAttributes;

/** @param given Stands for every target. */
function createTargetAttributes(given: string | undefined): TargetAttributes {
  // As many as the application gives the interceptor to channels of different targets: mostly one.
  const byTarget = new Map<string | undefined, ReturnType<typeof createAttributes>>();
  return (ofChannel, method) => {
    const target = given ?? ofChannel;
    let attributesOf = byTarget.get(target);
    if (attributesOf === undefined) {
      attributesOf = createAttributes(target === undefined ? {} : { "grpc.target": target });
      byTarget.set(target, attributesOf);
    }
    return attributesOf(method);
  };
}

/** Attributes are made once for each method and status: the SDK compares their contents, and we need not make them again. */
function createAttributes(common: Attributes): (method: DescMethod | undefined) => MethodAttributes {
  const known = new WeakMap<DescMethod, MethodAttributes>();
  const other = attributesOfMethod(common, "other");
  return (method) => {
    if (method === undefined) return other;
    let found = known.get(method);
    if (found === undefined) {
      found = attributesOfMethod(common, methodPath({ service: method.parent, method }));
      known.set(method, found);
    }
    return found;
  };
}

function attributesOfMethod(common: Attributes, name: string): MethodAttributes {
  const begun = { ...common, "grpc.method": name };
  const byStatus: (Attributes | undefined)[] = [];
  return {
    begun,
    ended(status) {
      const kept = status <= 16 ? byStatus[status] : undefined;
      if (kept !== undefined) return kept;
      const made = { ...begun, "grpc.status": statusName(status) };
      if (status <= 16) byStatus[status] = made;
      return made;
    },
  };
}
