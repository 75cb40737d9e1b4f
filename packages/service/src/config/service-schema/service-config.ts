import { array, type GenericSchema, type InferOutput, optional, strictObject } from "valibot";
import type { StandardSchemaV1 } from "../schema/standard-schema.ts";
import { choice, flag, text } from "../values/basic-values.ts";
import type { GrpcSection, HttpSection } from "./communication-section.ts";
import { type DependencySection, dependencySection } from "./dependencies-section.ts";
import { type IdempotencySection, idempotencySection } from "./idempotency-section.ts";
import type { Listener } from "./listeners.ts";
import { type LoadSheddingSection, loadSheddingSection } from "./load-shedding-section.ts";
import type { Profile } from "./profile.ts";
import { type RateLimitSection, rateLimitSection, type SecuritySection, securitySection } from "./security-section.ts";
import { type ServiceSection, serviceSection } from "./service-section.ts";

/** An entry of `<concern>.providers` that is enabled. */
export interface ProviderEntry {
  /** Its key: `postgresql`. */
  readonly name: string;
  /** Its type, with aliases resolved: `postgres`. */
  readonly type: string;
  /** Output of the type's schema. */
  readonly config: unknown;
}

export interface ConcernConfig {
  /** The entry to use where code names none: `<concern>.default`, or the only one. */
  readonly default?: string;
  readonly entries: readonly ProviderEntry[];
}

/** The configuration of a service. */
export interface ServiceConfig<App = unknown> {
  readonly service: ServiceSection;
  /** Undefined if `communication.providers.grpc.enabled` is false. */
  readonly grpc: GrpcSection | undefined;
  readonly http: HttpSection | undefined;
  /**
   * How REST, Connect and gRPC-Web are served on the HTTP port: as `http` says, or by its defaults if only `service.port` sets that port and gRPC is
   * cleartext. Undefined if they are not served.
   */
  readonly gateway: HttpSection | undefined;
  /** What each port serves, by all settings. */
  readonly listeners: readonly Listener[];
  /** Whether each call is logged. */
  readonly logCalls: boolean;
  /** By concern: `database`, `cache`, `events`, `discovery`, `logging`, `monitoring`, and those of the application's own providers. */
  readonly concerns: Readonly<Record<string, ConcernConfig>>;
  readonly dependencies: readonly DependencySection[];
  readonly security: SecuritySection;
  /** Undefined if the configuration has no such section. */
  readonly rateLimit: RateLimitSection | undefined;
  readonly loadShedding: LoadSheddingSection;
  /** Undefined if the configuration has no such section. */
  readonly idempotency: IdempotencySection | undefined;
  /** The key `app`, as validated by the definition's `settings`. */
  readonly app: App;
}

const filesConfig = strictObject({
  providers: optional(
    strictObject({
      file: optional(
        strictObject({
          enabled: optional(flag({ description: "`false` disables overlays." }), true),
          path: optional(
            text({ minLength: 1, description: "Folder of overlays such as `production.yaml`." }),
            "config",
          ),
          format: optional(choice(["yaml"], { description: "Format of the overlays." }), "yaml"),
        }),
        {},
      ),
    }),
    {},
  ),
});

/** Returns the sections that do not depend on providers, by key. */
export function plainSections(profile: Profile) {
  return {
    service: serviceSection(profile),
    config: filesConfig,
    dependencies: array(dependencySection),
    security: securitySection,
    rate_limit: rateLimitSection,
    load_shedding: loadSheddingSection,
    idempotency: idempotencySection,
  } satisfies Record<string, GenericSchema>;
}

export type PlainSections = {
  readonly [Key in keyof ReturnType<typeof plainSections>]: InferOutput<ReturnType<typeof plainSections>[Key]>;
};

/** Schema of the application's own settings; without a schema they are not allowed. */
export type SettingsSchema<App> = StandardSchemaV1<unknown, App>;
