export {
  type ClientOtelMetricsOptions,
  createClientOtelMetrics,
  createServerOtelMetrics,
  type OtelMetricsOptions,
  type ServerOtelMetrics,
} from "./otel-metrics.ts";
