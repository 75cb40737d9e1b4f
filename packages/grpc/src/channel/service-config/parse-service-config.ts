import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { nearestName } from "../../call/unknown-option.ts";
import { maxAnnouncedMessageBytes } from "../../protocol/message-framing.ts";
import type { BalancerFactory } from "../balancer/index.ts";
import type { Policies } from "../balancer/policies.ts";
import type { RetryThrottling } from "../retry/retry-throttle.ts";
import { ConfigValue } from "./config-value.ts";
import { parseMethodConfigs } from "./parse-method-configs.ts";
import type { ServiceConfig } from "./service-config.ts";

export interface ParseServiceConfigOptions {
  /** The policies that `loadBalancingConfig` may name. */
  readonly policies: Policies;
  /**
   * Whether a field that nobody knows is an error. True for what an application writes, where it is a slip; false for what a
   * resolver brings, which may be meant for newer clients (gRFC A21).
   */
  readonly refuseUnknown: boolean;
  /** What messages call the config. Default "serviceConfig". */
  readonly where?: string;
}

/**
 * Reads a service config, JSON text or an object.
 *
 * @throws TypeError that says where something is wrong and what it may be. One wrong field makes the whole config invalid (gRFC A21)
 */
export function parseServiceConfig(config: string | object, options: ParseServiceConfigOptions): ServiceConfig {
  const where = options.where ?? "serviceConfig";
  const json = typeof config === "string" ? readJson(config, where) : (config as JsonObject);
  const value = new ConfigValue(json, where, options.refuseUnknown);
  const fields = value.fields([
    "loadBalancingConfig",
    "loadBalancingPolicy",
    "methodConfig",
    "retryThrottling",
    "healthCheckConfig",
  ]);
  const policies = fields.get("loadBalancingConfig");
  const policy = fields.get("loadBalancingPolicy");
  const health = fields.get("healthCheckConfig")?.fields(["serviceName"]);
  return {
    balancer:
      policies !== undefined
        ? options.policies.choose(policies.path, policies.json)
        : policy === undefined || policy.text() === ""
          ? undefined
          : { factory: policyNamed(policy, options.policies) },
    methods: parseMethodConfigs(fields.get("methodConfig"), maxAnnouncedMessageBytes),
    retryThrottling: parseThrottling(fields.get("retryThrottling")),
    healthCheckServiceName: health?.get("serviceName")?.text(),
  };
}

function readJson(text: string, where: string): JsonValue {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new TypeError(`${where} is no JSON: ${(error as Error).message}`, { cause: error });
  }
}

/** The older field is an enum in upper case and a string in lower case, depending on who writes it. */
function policyNamed(policy: ConfigValue, policies: Policies): BalancerFactory {
  const name = policy.text().toLowerCase();
  const factory = policies.find(name);
  if (factory !== undefined) return factory;
  const nearest = nearestName(name, policies.names);
  const hint = nearest === undefined ? "" : ` Did you mean "${nearest}"?`;
  throw policy.refusal(
    `names no policy that is known here: ${name}.${hint} Known policies: ${policies.names.join(", ")}`,
  );
}

function parseThrottling(value: ConfigValue | undefined): RetryThrottling | undefined {
  if (value === undefined) return undefined;
  const fields = value.fields(["maxTokens", "tokenRatio"]);
  const [maxTokens, tokenRatio] = [fields.get("maxTokens"), fields.get("tokenRatio")];
  if (maxTokens === undefined || tokenRatio === undefined) throw value.refusal("needs maxTokens and tokenRatio");
  const ratio = tokenRatio.number();
  if (!(ratio >= 0.001)) throw tokenRatio.refusal(`is ${ratio}; it has to be a number from 0.001`);
  return { maxTokens: maxTokens.wholeNumber(1, 1000), tokenRatio: ratio };
}
