export { createClientMetrics, createServerMetrics, type MetricsOptions } from "./call-metrics.ts";
export { contentTypes, type ExpositionFormat, exposition } from "./exposition.ts";
export { countLimits, type StruckLimit } from "./limit-metrics.ts";
export { createMetricsHandler } from "./metrics-handler.ts";
export { observeProcess, observeServer, type ServerLoad } from "./process-metrics.ts";
export {
  Counter,
  createRegistry,
  defaultDurationBounds,
  type Exemplar,
  type Family,
  type FamilyOptions,
  type FamilyType,
  Gauge,
  Histogram,
  type Registry,
  type Series,
} from "./registry.ts";
