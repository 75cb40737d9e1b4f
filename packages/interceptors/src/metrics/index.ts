export { type CacheCounts, countCacheLookups } from "./cache-metrics.ts";
export { createClientMetrics, createServerMetrics, type MetricsOptions, type ServerMetrics } from "./call-metrics.ts";
export { contentTypes, type ExpositionFormat, exposition } from "./exposition.ts";
export { countLimits, type ExceededLimit } from "./limit-metrics.ts";
export { createMetricsHandler, type MetricsPage, renderMetrics } from "./metrics-handler.ts";
export { observeProcess, observeServer, type ServerLoad } from "./process-metrics.ts";
export {
  type Aggregation,
  Counter,
  createRegistry,
  defaultDurationBounds,
  type Exemplar,
  type Family,
  type FamilyOptions,
  type FamilyType,
  Gauge,
  type GaugeOptions,
  Histogram,
  type Registry,
  type Series,
} from "./registry.ts";
export { type MetricsPart, shareMetrics } from "./share-metrics.ts";
