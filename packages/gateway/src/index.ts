// For applications.

export type { CorsOptions } from "./cors.ts";
export {
  createEnvoyConfig,
  type EnvoyAddress,
  type EnvoyConfig,
  type EnvoyConfigOptions,
} from "./envoy/create-envoy-config.ts";
export { type ForwardOptions, forward } from "./forward/forward.ts";
export { type LoadedServices, loadServices, loadServicesByReflection } from "./forward/load-services.ts";
export { createGateway } from "./gateway.ts";
export type { GatewayOptions, GatewayProtocol, RestMethod } from "./gateway-options.ts";
export type { Http1Limits } from "./http/http1-limits.ts";
export type { OpenApiInfo, OpenApiServing } from "./openapi/openapi-options.ts";
export { setHttpStatus } from "./rest/http-status-value.ts";
export { withHttpStatus } from "./rules/http-status.ts";
export type { Fallback } from "./serve-fallback.ts";
