export {
  type ClientOtelMetricsOptions,
  createClientOtelMetrics,
  createServerOtelMetrics,
  type OtelMetricsOptions,
} from "./otel-metrics.ts";
