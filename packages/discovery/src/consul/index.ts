export type { HttpTlsOptions } from "../http/http-client.ts";
export type { ConsulCheckOptions, ConsulRegistryOptions } from "./consul-options.ts";
export { createConsulRegistry } from "./consul-registry.ts";
