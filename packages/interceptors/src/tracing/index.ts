export type { Conventions } from "../call/conventions.ts";
export { traceContextKey } from "../call/trace-context.ts";
export { formatTraceParent, parseTraceParent, w3cPropagator } from "./trace-parent.ts";
export { currentTraceParent, traceWork } from "./trace-work.ts";
export {
  type ClientTracingOptions,
  createClientTracing,
  createServerTracing,
  currentTrace,
  type ServerTracingOptions,
} from "./tracing.ts";
