import { parse } from "valibot";
import type { SectionValues } from "./check-sections.ts";
import { type GrpcSection, type HttpSection, httpSection } from "./communication-section.ts";
import { type Listener, listenersOf } from "./listeners.ts";
import type { PrometheusConfig } from "./observability-types.ts";
import type { Profile } from "./profile.ts";
import type { ConcernSection, WrittenConcern } from "./provider-entries.ts";
import { type ConcernConfig, type PlainSections, plainSections, type ServiceConfig } from "./service-config.ts";

const plainKeys = Object.keys(plainSections({ isProduction: false }));

/** Assembles the configuration from the validated sections. */
export function assembleConfig<App>(
  values: SectionValues,
  read: readonly WrittenConcern[],
  profile: Profile,
): ServiceConfig<App> {
  const plain = Object.fromEntries(plainKeys.map((key) => [key, values.get(key)])) as unknown as PlainSections;
  const all = Object.fromEntries(read.map((concern) => [concern.concern, concernConfig(concern, values)]));
  const { communication, ...concerns } = all;
  const configOf = (concern: ConcernConfig | undefined, type: string): unknown =>
    concern?.entries.find((entry) => entry.type === type)?.config;
  const grpc = configOf(communication, "grpc") as GrpcSection | undefined;
  const http = configOf(communication, "http") as HttpSection | undefined;
  const prometheus = configOf(concerns.monitoring, "prometheus") as PrometheusConfig | undefined;
  const logging = values.get("logging") as ConcernSection;
  const listeners = listenersOf({ service: plain.service, grpc, http, prometheus });
  return {
    service: plain.service,
    grpc,
    http,
    gateway: http ?? (impliesGateway(read, grpc, listeners) ? parse(httpSection(profile), {}) : undefined),
    listeners,
    logCalls: logging.calls ?? true,
    concerns,
    dependencies: plain.dependencies ?? [],
    security: plain.security,
    rateLimit: plain.rate_limit,
    loadShedding: plain.load_shedding,
    idempotency: plain.idempotency,
    app: values.get("app") as App,
  };
}

/**
 * Whether the gateway is enabled implicitly: if only `service.port` configures HTTP, the port also serves calls, unless they would be cleartext while
 * gRPC uses TLS, or the gateway is disabled.
 */
function impliesGateway(
  read: readonly WrittenConcern[],
  grpc: GrpcSection | undefined,
  listeners: readonly Listener[],
): boolean {
  const communication = read.find(({ concern }) => concern === "communication");
  const isOff = communication?.entries.some(({ type, isEnabled }) => type.type === "http" && !isEnabled) === true;
  return !isOff && grpc?.tls.enabled === false && listeners.some(({ serves }) => serves.includes("http"));
}

function concernConfig({ concern, entries }: WrittenConcern, values: SectionValues): ConcernConfig {
  const enabled = entries
    .filter(({ isEnabled }) => isEnabled)
    .map(({ name, type }) => ({ name, type: type.type, config: values.get(`${concern}.providers.${name}`) }));
  const section = values.get(concern) as ConcernSection;
  const chosen = section.default ?? (enabled.length === 1 ? enabled[0]?.name : undefined);
  return { entries: enabled, ...(chosen !== undefined && { default: chosen }) };
}
