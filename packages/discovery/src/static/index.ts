export {
  createStaticRegistry,
  type StaticRegistry,
  type StaticRegistryOptions,
  type StaticServices,
} from "./static-registry.ts";
