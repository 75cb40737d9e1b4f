import type { DescMethod } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import { type Attributes, type Histogram, type Meter, metrics } from "@opentelemetry/api";
import { refuseUnknownOptions, type UnhandledCall } from "@tercel/grpc";
import { methodPath } from "../call/method-path.ts";
import { observeCalls } from "../call/observe-calls.ts";
import { statusName } from "../call/status-name.ts";
import { traceContextOf } from "../call/trace-context.ts";

export interface OtelMetricsOptions {
  /** Where the instruments are made. Default: the global meter provider's meter "@tercel/interceptors". */
  meter?: Meter;
}

export interface ClientOtelMetricsOptions extends OtelMetricsOptions {
  /** The channel's target, the attribute `grpc.target`: what the channel was made with, not an address. Default: none. */
  target?: string;
}

/** An interceptor that can record calls as well which no interceptor sees. */
export interface ServerOtelMetrics extends Interceptor {
  /** For the server's option `onUnhandledCall`. Methods that the server does not have are recorded as `other`, as A66 asks. */
  readonly recordUnhandled: (call: UnhandledCall) => void;
}

/** As gRFC A66 advises for durations, in seconds. */
const durationBounds = [
  0, 0.00001, 0.00005, 0.0001, 0.0003, 0.0006, 0.0008, 0.001, 0.002, 0.003, 0.004, 0.005, 0.006, 0.008, 0.01, 0.013,
  0.016, 0.02, 0.025, 0.03, 0.04, 0.05, 0.065, 0.08, 0.1, 0.13, 0.16, 0.2, 0.25, 0.3, 0.4, 0.5, 0.65, 0.8, 1, 2, 5, 10,
  20, 50, 100,
];

/**
 * A server interceptor that records gRFC A66's `grpc.server.call.started` and `grpc.server.call.duration`. The sizes of messages as
 * they are sent are not known to interceptors, so A66's other instruments of a call are absent.
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
  const attributesOf = createAttributes({});
  const interceptor = observeCalls("server", (request) => {
    const attributes = attributesOf(request.method);
    const startMs = performance.now();
    started.add(1, attributes.begun);
    return {
      onEnd(status) {
        const seconds = (performance.now() - startMs) / 1000;
        // The context leads from a bucket to the trace.
        duration.record(seconds, attributes.ended(status), traceContextOf(request));
      },
    };
  });
  return Object.assign(interceptor, {
    recordUnhandled({ method, code }: UnhandledCall): void {
      const attributes = attributesOf(method);
      started.add(1, attributes.begun);
      // By A66 the only instrument with the status.
      duration.record(0, attributes.ended(code));
    },
  });
}

/**
 * A client interceptor that records gRFC A66's `grpc.client.call.duration`. It sees calls and not the attempts that they are made of, so
 * A66's instruments of attempts are absent.
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
  const attributesOf = createAttributes(options.target === undefined ? {} : { "grpc.target": options.target });
  return observeCalls("client", (request) => {
    const attributes = attributesOf(request.method);
    const startMs = performance.now();
    return {
      onEnd(status) {
        const seconds = (performance.now() - startMs) / 1000;
        duration.record(seconds, attributes.ended(status), traceContextOf(request));
      },
    };
  });
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

interface MethodAttributes {
  readonly begun: Attributes;
  ended(status: number): Attributes;
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
