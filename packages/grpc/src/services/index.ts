export { createHealth, type Health, maxListedServices, type ServingStatus } from "./health/health.ts";
export { createReflection, type Reflection, type ReflectionOptions } from "./reflection/reflection.ts";
