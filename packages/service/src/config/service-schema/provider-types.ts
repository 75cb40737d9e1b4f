import type { GenericSchema } from "valibot";
import { grpcSection, httpSection } from "./communication-section.ts";
import {
  consulConfig,
  dnsConfig,
  embeddedConfig,
  etcdConfig,
  kubernetesConfig,
  noDiscoveryConfig,
  staticConfig,
} from "./discovery-types.ts";
import { consoleConfig, otlpConfig, pinoConfig, prometheusConfig } from "./observability-types.ts";
import type { Profile } from "./profile.ts";

/** The static part of a provider. Each `Provider` has it. */
export interface ProviderType {
  readonly concern: string;
  readonly type: string;
  readonly aliases?: readonly string[];
  /** Schema of an entry without `type` and `enabled`. */
  readonly config: GenericSchema;
}

/** Returns the built-in types. */
export function builtInTypes(profile: Profile): readonly ProviderType[] {
  return [
    { concern: "communication", type: "grpc", config: grpcSection(profile) },
    { concern: "communication", type: "http", config: httpSection(profile) },
    { concern: "logging", type: "console", config: consoleConfig },
    { concern: "logging", type: "pino", config: pinoConfig },
    { concern: "monitoring", type: "prometheus", config: prometheusConfig(profile) },
    { concern: "monitoring", type: "otlp", aliases: ["jaeger"], config: otlpConfig(profile) },
    { concern: "discovery", type: "consul", config: consulConfig },
    { concern: "discovery", type: "embedded", config: embeddedConfig },
    { concern: "discovery", type: "static", config: staticConfig },
    { concern: "discovery", type: "dns", config: dnsConfig },
    { concern: "discovery", type: "etcd", config: etcdConfig },
    { concern: "discovery", type: "kubernetes", config: kubernetesConfig },
    { concern: "discovery", type: "none", config: noDiscoveryConfig },
  ];
}

/** The concerns of every service. */
export const knownConcerns = [
  "communication",
  "logging",
  "monitoring",
  "discovery",
  "database",
  "cache",
  "events",
] as const;

/** Returns the application's types and the built-in ones; the application's take precedence. */
export function allTypes(profile: Profile, own: readonly ProviderType[]): readonly ProviderType[] {
  const isReplaced = (builtIn: ProviderType): boolean =>
    own.some(({ concern, type }) => concern === builtIn.concern && type === builtIn.type);
  return [...builtInTypes(profile).filter((type) => !isReplaced(type)), ...own];
}

export function findType(types: readonly ProviderType[], concern: string, name: string): ProviderType | undefined {
  return types.find((type) => type.concern === concern && (type.type === name || type.aliases?.includes(name)));
}
