// What applications need.

export { ConfigError, type ConfigProblem } from "./config-problem.ts";
export type { ConfigChange } from "./document/config-changes.ts";
export type { ConfigEntry } from "./document/config-entries.ts";
export { type ConfigSources, type LoadedConfig, loadConfig } from "./load-config.ts";
export { loadServiceConfig, type ServiceConfigOptions } from "./load-service-config.ts";
export type { ConcernConfig, ProviderEntry, ServiceConfig } from "./service-schema/service-config.ts";
export type { EnvironmentName } from "./sources/environment-name.ts";
export { choice, flag, port, share, type TextOptions, text, url, wholeNumber } from "./values/basic-values.ts";
export { type ByteSizeOptions, byteSize } from "./values/byte-size.ts";
export { type DurationOptions, duration } from "./values/duration.ts";
export { parseDuration } from "./values/duration-text.ts";
export { type HostAndPort, listenAddress } from "./values/listen-address.ts";
export {
  type ConfigUpdate,
  type ConfigWatch,
  type WatchConfigOptions,
  watchConfig,
  watchServiceConfig,
} from "./watch-config.ts";

// What providers and the kit need.

export type { Origin } from "./document/origin.ts";
export type { SettingMetadata } from "./schema/schema-shape.ts";
export type { StandardSchemaV1 } from "./schema/standard-schema.ts";
export type { GrpcSection, HttpSection } from "./service-schema/communication-section.ts";
export type { DependencySection } from "./service-schema/dependencies-section.ts";
export type { IdempotencySection } from "./service-schema/idempotency-section.ts";
export type { Listener } from "./service-schema/listeners.ts";
export type { LoadSheddingSection } from "./service-schema/load-shedding-section.ts";
export type { ProviderType } from "./service-schema/provider-types.ts";
export type { RateLimitSection, SecuritySection } from "./service-schema/security-section.ts";
export type { ServiceSection } from "./service-schema/service-section.ts";
export { waysToSet } from "./sources/assignments.ts";
