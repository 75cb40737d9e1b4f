import { context, propagation, trace } from "@opentelemetry/api";
import type { Sampler } from "@opentelemetry/sdk-trace-node";
import { withNamedExports } from "@tercel/grpc/internal";
import { markFollowing } from "../call/follows-parents.ts";
import { importPeer } from "../call/import-peer.ts";
import { type OptionsOf, own, readOptions, share, text } from "../call/options.ts";
import { createCallContextManager } from "./call-context-manager.ts";

export const otlpTracingOptions = {
  /** `service.name`: the name of the service where traces are shown. Required. */
  service: text("a name").required(),
  /** `service.version`. Default: none. */
  version: text(),
  /** Where spans are sent, by OTLP over HTTP. Default: OTEL_EXPORTER_OTLP_ENDPOINT, else `http://localhost:4318/v1/traces`. */
  url: text(),
  /** Headers of the exporter's requests, such as a key. Default: none. */
  headers: own<Readonly<Record<string, string>>>("an object of header names and values"),
  /** The share of traces that begin here and are recorded, 0 to 1; others follow what was decided where they began. Default 1. */
  sampleRate: share().or(1),
};

const sampleRateOptions = { sampleRate: otlpTracingOptions.sampleRate };

export type OtlpTracingOptions = OptionsOf<typeof otlpTracingOptions>;

export interface OtlpTracing {
  /**
   * Changes `sampleRate` for the traces that begin from here on.
   *
   * @throws RangeError for a rate that is not from 0 to 1
   */
  setSampleRate(sampleRate: number): void;
  /** Sends what has not been sent yet. */
  flush(): Promise<void>;
  /** Sends what is left and takes the setup back. Rejects when it could not be sent. */
  shutdown(): Promise<void>;
}

/** With versions: the newest of each do not fit together, and npm refuses to install such a mixture (ERESOLVE). */
const packages = [
  "@opentelemetry/sdk-trace-node@2",
  "@opentelemetry/resources@2",
  "@opentelemetry/context-async-hooks@2",
  "@opentelemetry/exporter-trace-otlp-proto@0.223",
];

/**
 * Sets OpenTelemetry's SDK up for the whole process: spans go by OTLP to a collector, Jaeger or Tempo; contexts follow async code; traces
 * are handed on as W3C Trace Context. A service that sets the SDK up by itself needs nothing of this.
 *
 * @throws TypeError for an unknown option, RangeError for a rate out of bounds, Error that says what to install when the SDK is missing,
 * or when the process has a tracer provider already
 */
export async function startOtlpTracing(options: OtlpTracingOptions): Promise<OtlpTracing> {
  const where = "startOtlpTracing";
  const { service, version, url, headers, sampleRate } = readOptions(where, otlpTracingOptions, options);
  const [sdk, { resourceFromAttributes }, { OTLPTraceExporter }, { AsyncLocalStorageContextManager }] = await loadSdk();
  const exporter = new OTLPTraceExporter({ ...(url !== undefined && { url }), ...(headers && { headers }) });
  let ratio = new sdk.TraceIdRatioBasedSampler(sampleRate);
  const root: Sampler = {
    shouldSample: (parent, traceId) => ratio.shouldSample(parent, traceId),
    toString: () => ratio.toString(),
  };
  const provider = new sdk.NodeTracerProvider({
    resource: resourceFromAttributes({
      "service.name": service,
      ...(version !== undefined && { "service.version": version }),
    }),
    sampler: new sdk.ParentBasedSampler({ root }),
    spanProcessors: [new sdk.BatchSpanProcessor(exporter)],
  });
  markFollowing(provider);
  if (!trace.setGlobalTracerProvider(provider)) {
    await provider.shutdown();
    throw new Error(`${where}: this process has a tracer provider already`);
  }
  // Sets what else is global; the tracer provider itself is in place by now.
  provider.register({ contextManager: createCallContextManager(AsyncLocalStorageContextManager) });
  return {
    setSampleRate(changed) {
      const { sampleRate: rate } = readOptions("setSampleRate", sampleRateOptions, { sampleRate: changed });
      ratio = new sdk.TraceIdRatioBasedSampler(rate);
    },
    flush: () => provider.forceFlush(),
    async shutdown() {
      trace.disable();
      context.disable();
      propagation.disable();
      await provider.shutdown();
    },
  };
}

function loadSdk() {
  return importPeer("startOtlpTracing", packages, () =>
    Promise.all([
      import("@opentelemetry/sdk-trace-node").then(withNamedExports),
      import("@opentelemetry/resources").then(withNamedExports),
      import("@opentelemetry/exporter-trace-otlp-proto").then(withNamedExports),
      import("@opentelemetry/context-async-hooks").then(withNamedExports),
    ]),
  );
}
