export { createEmbeddedRegistry, type EmbeddedRegistryOptions } from "./embedded-registry.ts";
export { createRegistryService, type RegistryService, type RegistryServiceOptions } from "./registry-service.ts";
