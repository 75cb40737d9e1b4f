// What applications need.

export type { CorsOptions } from "./cors.ts";
export { createGateway } from "./gateway.ts";
export type { GatewayOptions, GatewayProtocol, RestMethod } from "./gateway-options.ts";
export type { Http1Limits } from "./http/http1-connection.ts";
export type { OpenApiInfo, OpenApiServing } from "./openapi/openapi-options.ts";
export { setHttpStatus } from "./rest/http-status-value.ts";
export { withHttpStatus } from "./rules/http-status.ts";
export type { Fallback } from "./serve-fallback.ts";
