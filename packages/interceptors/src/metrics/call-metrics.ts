// Imported, because reading the global `performance` runs a getter.
import { performance } from "node:perf_hooks";
import type { DescMethod } from "@bufbuild/protobuf";
import type { Code, Interceptor, StreamRequest } from "@connectrpc/connect";
import { callInfo } from "@tercel/grpc";
import type { CallRequest, UnhandledCall } from "@tercel/grpc/hooks";
import { type CallObserver, observeCalls, type Side } from "../call/observe-calls.ts";
import {
  listOf,
  type OptionsOf,
  own,
  readOptions,
  type SettingsOf,
  text,
  wholeNumber,
  withMethods,
} from "../call/options.ts";
import { okStatus, type Status, statusName } from "../call/status-name.ts";
import { sampledSpanOf } from "../call/trace-context.ts";
import type { Counter, Family, Gauge, Histogram, Registry } from "./registry.ts";

export const metricsOptions = {
  /** The registry of the metrics. Use one registry per process. Required. */
  registry: withMethods<Registry>(
    "a registry, for example createRegistry()",
    "counter",
    "gauge",
    "histogram",
  ).required(),
  /** The upper bounds of the duration buckets, in seconds. Default: `defaultDurationBounds`, 0.5 ms to 10 s. */
  durationBounds: listOf(
    own<number>("a number", (bound) => typeof bound === "number"),
    "a list of numbers",
  ),
  /** The maximum number of methods with their own series; further ones are counted as `other`. Default 500, more than most services have. */
  maxMethods: wholeNumber(0, 100_000).or(500),
  /** The prefix of the metric names. Default `grpc_server`, on a client `grpc_client`. */
  prefix: text(),
};

export type MetricsOptions = OptionsOf<typeof metricsOptions>;

/** A metrics interceptor for a server, which can also count calls that reach no interceptor. */
export interface ServerMetrics extends Interceptor {
  /** For the server's option `onUnhandledCall`. Calls of unknown methods are counted as `other`. */
  readonly countUnhandled: (call: UnhandledCall) => void;
}

/**
 * Creates a server interceptor that counts calls by service, method and status: `grpc_server_requests_total`,
 * `grpc_server_request_duration_seconds`, `grpc_server_stream_messages_sent_total` and more; the README lists them.
 *
 * @throws TypeError for an unknown option, or if the registry already has these metrics
 */
export function createServerMetrics(options: MetricsOptions): ServerMetrics {
  const { interceptor, metricsOf } = metrics("server", "createServerMetrics", options);
  return Object.assign(interceptor, {
    countUnhandled({ method, code, durationMs }: UnhandledCall): void {
      const counted = metricsOf(method);
      // The interceptor has already counted this call.
      if (method !== undefined && counted.isReported) return;
      counted.started.add();
      counted.countUnhandled(code, durationMs);
    },
  });
}

/**
 * Creates a client interceptor that counts calls in the same way: `grpc_client_requests_total` and so on.
 *
 * @throws TypeError for an unknown option, or if the registry already has these metrics
 */
export function createClientMetrics(options: MetricsOptions): Interceptor {
  return metrics("client", "createClientMetrics", options).interceptor;
}

function metrics(side: Side, where: string, options: MetricsOptions) {
  const settings = readOptions(where, metricsOptions, options);
  const families = createFamilies(side, settings);
  const { maxMethods } = settings;
  const known = new Map<DescMethod, MethodMetrics>();
  let other: MethodMetrics | undefined;
  const isServer = side === "server";

  function metricsOf(method: DescMethod | undefined): MethodMetrics {
    let found = method === undefined ? undefined : known.get(method);
    if (found !== undefined) return found;
    if (method === undefined || known.size >= maxMethods) {
      other ??= new MethodMetrics(families, "other", "other");
      return other;
    }
    found = new MethodMetrics(families, method.parent.typeName, method.name);
    known.set(method, found);
    return found;
  }

  const begin = (request: CallRequest): CallObserver => {
    const method = metricsOf(request.method);
    return request.stream ? new StreamMetrics(method, request, isServer) : new CallMetrics(method, request, isServer);
  };
  const interceptor = observeCalls(side, begin, {
    readsResponses: false,
    onArrival(called) {
      const method = metricsOf(called);
      method.isReported = true;
      method.started.value++;
    },
    onUnhandled: (called, code, durationMs) => metricsOf(called).countUnhandled(code, durationMs),
  });
  return { interceptor, metricsOf };
}

interface Families {
  readonly started: Family<Counter>;
  readonly ended: Family<Counter>;
  readonly errors: Family<Counter>;
  readonly duration: Family<Histogram>;
  readonly inFlight: Family<Gauge>;
  readonly sent: Family<Counter>;
  readonly received: Family<Counter>;
}

function createFamilies(side: Side, settings: SettingsOf<typeof metricsOptions>): Families {
  const { registry, durationBounds, prefix = `grpc_${side}` } = settings;
  const did = side === "server" ? "handled" : "made";
  const byMethod = ["service", "method"];
  const byStatus = [...byMethod, "status"];
  return {
    started: registry.counter(`${prefix}_requests_started_total`, { help: "Calls started.", labels: byMethod }),
    ended: registry.counter(`${prefix}_requests_total`, {
      help: `Completed calls that this process has ${did}, by status.`,
      labels: byStatus,
    }),
    errors: registry.counter(`${prefix}_errors_total`, {
      help: "Completed calls with a status other than OK.",
      labels: byStatus,
    }),
    duration: registry.histogram(`${prefix}_request_duration_seconds`, {
      help: "Time from a call's headers to its end, including streams.",
      labels: byStatus,
      ...(durationBounds !== undefined && { bounds: durationBounds }),
    }),
    inFlight: registry.gauge(`${prefix}_requests_in_flight`, { help: "Running calls.", labels: byMethod }),
    sent: registry.counter(`${prefix}_stream_messages_sent_total`, {
      help: "Messages sent on streams.",
      labels: byMethod,
    }),
    received: registry.counter(`${prefix}_stream_messages_received_total`, {
      help: "Messages received on streams.",
      labels: byMethod,
    }),
  };
}

/** The series of one method. */
class MethodMetrics {
  readonly started: Counter;
  readonly inFlight: Gauge;
  /** Whether the server reports the calls of the method when they arrive, as Tercel's does. */
  isReported = false;
  private readonly families: Families;
  private readonly labels: readonly [string, string];
  private readonly outcomes: (Outcome | undefined)[] = [];
  private madeSent: Counter | undefined = undefined;
  private madeReceived: Counter | undefined = undefined;

  constructor(families: Families, service: string, method: string) {
    this.families = families;
    this.labels = [service, method];
    this.started = families.started.with(service, method);
    this.inFlight = families.inFlight.with(service, method);
  }

  get sent(): Counter {
    this.madeSent ??= this.families.sent.with(...this.labels);
    return this.madeSent;
  }

  get received(): Counter {
    this.madeReceived ??= this.families.received.with(...this.labels);
    return this.madeReceived;
  }

  /** Counts the end of a call that reached no handler. */
  countUnhandled(code: Code, durationMs: number): void {
    const { ended, errors, duration } = this.outcome(code);
    ended.add();
    errors?.add();
    duration.observe(durationMs / 1000);
  }

  outcome(status: Status): Outcome {
    let found = this.outcomes[status];
    if (found === undefined) {
      const labels = [...this.labels, statusName(status)];
      found = {
        ended: this.families.ended.with(...labels),
        errors: status === okStatus ? undefined : this.families.errors.with(...labels),
        duration: this.families.duration.with(...labels),
      };
      // A peer may send any number. Undefined statuses share a series, and are not cached here.
      if (status >= 0 && status <= 16) this.outcomes[status] = found;
    }
    return found;
  }
}

interface Outcome {
  readonly ended: Counter;
  readonly errors: Counter | undefined;
  readonly duration: Histogram;
}

class CallMetrics implements CallObserver {
  protected readonly method: MethodMetrics;
  private readonly request: CallRequest;
  private readonly startMs: number;

  constructor(method: MethodMetrics, request: CallRequest, isServer: boolean) {
    this.method = method;
    this.request = request;
    const arrivedAtMs = isServer ? request.contextValues.get(callInfo)?.arrivedAtMs : undefined;
    this.startMs = arrivedAtMs ?? performance.now();
    // A call that was reported at its arrival has already been counted.
    if (arrivedAtMs === undefined) method.started.value++;
    method.inFlight.value++;
  }

  onEnd(status: Status): void {
    const seconds = (performance.now() - this.startMs) / 1000;
    this.method.inFlight.value--;
    const { ended, errors, duration } = this.method.outcome(status);
    ended.value++;
    if (errors !== undefined) errors.value++;
    const bucket = duration.observe(seconds);
    const span = sampledSpanOf(this.request);
    if (span === undefined) return;
    const { traceId, spanId } = span;
    duration.setExemplar(bucket, { traceId, spanId, value: seconds, atSeconds: Date.now() / 1000 });
  }
}

class StreamMetrics extends CallMetrics {
  private readonly isServer: boolean;

  constructor(method: MethodMetrics, request: StreamRequest, isServer: boolean) {
    super(method, request, isServer);
    this.isServer = isServer;
  }

  onRequest(): void {
    (this.isServer ? this.method.received : this.method.sent).value++;
  }

  onResponse(): void {
    (this.isServer ? this.method.sent : this.method.received).value++;
  }
}
