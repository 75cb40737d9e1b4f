export { type Channelz, createChannelz } from "./channelz/channelz.ts";
export type { DependencyReport, HealthCheck } from "./health/dependency-checks.ts";
export { createHealth, type Health, type HealthOptions, type ServingStatus } from "./health/health.ts";
export { createHealthClient, type HealthClient, type ReportedStatus } from "./health/health-client.ts";
export { askHealth } from "./health/service-check.ts";
export { readCallMetrics, recordCallMetrics } from "./orca/call-metrics.ts";
export type { LoadMetrics } from "./orca/load-metrics.ts";
export { createLoadReporting, type LoadReporting, type LoadReportingOptions } from "./orca/load-reporting.ts";
export {
  createReflection,
  type Reflection,
  type ReflectionOptions,
  reflectionServices,
} from "./reflection/reflection.ts";
export { createReflectionClient, type ReflectionClient } from "./reflection/reflection-client.ts";
