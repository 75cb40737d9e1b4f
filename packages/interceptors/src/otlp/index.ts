export { type OtlpTracing, type OtlpTracingOptions, startOtlpTracing } from "./otlp-tracing.ts";
