export type { Conventions } from "../call/conventions.ts";
export {
  type ClientOtelMetricsOptions,
  createClientOtelMetrics,
  createServerOtelMetrics,
  type OtelMetricsOptions,
  type ServerOtelMetrics,
} from "./otel-metrics.ts";
