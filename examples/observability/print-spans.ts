import { NodeTracerProvider, type ReadableSpan, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-node";

/**
 * Configures OpenTelemetry to print each span as a line. A service would send them to Jaeger instead, with
 * `await startOtlpTracing({ service: "hello" })` of @tercel/interceptors/otlp.
 */
export function printSpans(): { shutdown(): Promise<void> } {
  const provider = new NodeTracerProvider({
    spanProcessors: [new SimpleSpanProcessor({ export: print, shutdown: async () => {} })],
  });
  provider.register();
  return provider;
}

function print(spans: readonly ReadableSpan[], done: (result: { code: 0 }) => void): void {
  for (const span of spans) {
    const { traceId, spanId } = span.spanContext();
    const parent = span.parentSpanContext?.spanId;
    const status = span.attributes["rpc.response.status_code"];
    console.log(JSON.stringify({ message: "span", name: span.name, traceId, spanId, parent, status }));
  }
  done({ code: 0 });
}
