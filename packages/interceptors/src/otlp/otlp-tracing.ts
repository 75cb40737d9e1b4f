import { context, propagation, trace } from "@opentelemetry/api";
import type { Sampler } from "@opentelemetry/sdk-trace-node";
import { withNamedExports } from "@tercel/grpc/internal";
import { markFollowing } from "../call/follows-parents.ts";
import { importPeer } from "../call/import-peer.ts";
import { type OptionsOf, own, readOptions, share, text } from "../call/options.ts";
import { createCallContextManager } from "./call-context-manager.ts";

export const otlpTracingOptions = {
  /** `service.name`: the name of the service in traces. Required. */
  service: text("a name").required(),
  /** `service.version`. Default: none. */
  version: text(),
  /**
   * The URL to which spans are sent, by OTLP over HTTP. Default: OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, or OTEL_EXPORTER_OTLP_ENDPOINT with
   * `/v1/traces` appended, or `http://localhost:4318/v1/traces`.
   */
  url: text(),
  /** Headers of the exporter's requests, such as an API key. Default: none. */
  headers: own<Readonly<Record<string, string>>>("an object of header names and values"),
  /** The share of the traces that start here which is recorded, from 0 to 1. Other traces follow the decision of their first service. Default 1. */
  sampleRate: share().or(1),
};

const sampleRateOptions = { sampleRate: otlpTracingOptions.sampleRate };

export type OtlpTracingOptions = OptionsOf<typeof otlpTracingOptions>;

export interface OtlpTracing {
  /**
   * Changes `sampleRate` for traces that start from now on.
   *
   * @throws RangeError for a rate that is not from 0 to 1
   */
  setSampleRate(sampleRate: number): void;
  /** Sends the pending spans. */
  flush(): Promise<void>;
  /** Sends the pending spans and removes the global setup. Rejects if the spans cannot be sent. */
  shutdown(): Promise<void>;
}

/** With versions, because npm rejects a combination of the latest ones (ERESOLVE). */
const packages = [
  "@opentelemetry/sdk-trace-node@2",
  "@opentelemetry/resources@2",
  "@opentelemetry/context-async-hooks@2",
  "@opentelemetry/exporter-trace-otlp-proto@0.223",
];

/**
 * Sets up OpenTelemetry's SDK for the whole process: it sends spans by OTLP to a collector, Jaeger or Tempo, follows contexts through async
 * code, and propagates traces as W3C Trace Context. A service that sets up the SDK itself does not need this function.
 *
 * Rejects with a TypeError for an unknown option, a RangeError for a rate that is out of range, and an Error that names the packages to install
 * if the SDK is missing, or if the process already has a tracer provider.
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
    throw new Error(`${where}: this process already has a tracer provider`);
  }
  // Sets the other globals; the tracer provider is already set.
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
