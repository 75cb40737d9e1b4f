export { createHealth, type Health, maxListedServices, type ServingStatus } from "./health/health.ts";
export { readCallMetrics, recordCallMetrics } from "./orca/call-metrics.ts";
export type { LoadMetrics } from "./orca/load-metrics.ts";
export { createLoadReporting, type LoadReporting, type LoadReportingOptions } from "./orca/load-reporting.ts";
export { createReflection, type Reflection, type ReflectionOptions } from "./reflection/reflection.ts";
