export type { DependencyReport, HealthCheck } from "./health/dependency-checks.ts";
export {
  createHealth,
  type Health,
  type HealthOptions,
  maxListedServices,
  type ServingStatus,
} from "./health/health.ts";
export { askHealth } from "./health/service-check.ts";
export { createReflection, type Reflection, type ReflectionOptions } from "./reflection/reflection.ts";
