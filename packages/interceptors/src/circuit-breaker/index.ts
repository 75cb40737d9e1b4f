export type { CircuitState } from "./circuit.ts";
export {
  type CircuitBreaker,
  type CircuitBreakerOptions,
  type CircuitChange,
  type CircuitReport,
  createCircuitBreaker,
} from "./circuit-breaker.ts";
