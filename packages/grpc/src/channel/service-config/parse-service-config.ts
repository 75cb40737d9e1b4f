import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { nearestName } from "../../options/check-options.ts";
import { maxAnnouncedMessageBytes } from "../../protocol/message-framing.ts";
import type { BalancerFactory } from "../balancer/index.ts";
import { findPolicy } from "../balancer/policies.ts";
import type { RetryThrottling } from "../retry/retry-throttle.ts";
import { ConfigValue } from "./config-value.ts";
import { parseMethodConfigs } from "./parse-method-configs.ts";
import type { ServiceConfig } from "./service-config.ts";

export interface ParseServiceConfigOptions {
  /** The policies that `loadBalancingConfig` may name. */
  readonly balancers: readonly BalancerFactory[];
  /**
   * Whether a field that no one knows is an error. True for what an application writes, where it is a slip; false for what a
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
    "connectionScaling",
  ]);
  const policies = fields.get("loadBalancingConfig");
  const policy = fields.get("loadBalancingPolicy");
  const health = fields.get("healthCheckConfig")?.fields(["serviceName"]);
  const scaling = fields.get("connectionScaling")?.fields(["maxConnectionsPerSubchannel"]);
  return {
    balancer:
      policies !== undefined
        ? choosePolicy(policies, options.balancers)
        : policy === undefined || policy.text() === ""
          ? undefined
          : { factory: policyNamed(policy, options.balancers), config: undefined },
    methods: parseMethodConfigs(fields.get("methodConfig"), maxAnnouncedMessageBytes),
    retryThrottling: parseThrottling(fields.get("retryThrottling")),
    healthCheckServiceName: health?.get("serviceName")?.text(),
    maxConnectionsPerSubchannel: scaling?.get("maxConnectionsPerSubchannel")?.wholeNumber(1, 0xffff_ffff),
  };
}

function readJson(text: string, where: string): JsonValue {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new TypeError(`${where} is not JSON: ${(error as Error).message}`, { cause: error });
  }
}

/** gRFC A24: the first known policy counts, and those after it are not even read. */
function choosePolicy(policies: ConfigValue, known: readonly BalancerFactory[]): ServiceConfig["balancer"] {
  const unknown: string[] = [];
  for (const item of policies.items()) {
    const { name, value } = item.onlyField();
    const factory = findPolicy(known, name);
    if (factory === undefined) {
      unknown.push(name);
      continue;
    }
    const json = value.object();
    try {
      return { factory, config: factory.parseConfig?.(json) };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new TypeError(`${value.path}: ${reason}`, { cause: error });
    }
  }
  if (unknown.length === 0) return undefined;
  throw policies.refusal(`names only unknown policies: ${unknown.join(", ")}.${hint(unknown, known)}`);
}

/** The older field is an enum in upper case or a string in lower case. */
function policyNamed(policy: ConfigValue, known: readonly BalancerFactory[]): BalancerFactory {
  const name = policy.text().toLowerCase();
  const factory = findPolicy(known, name);
  if (factory === undefined) throw policy.refusal(`names an unknown policy: ${name}.${hint([name], known)}`);
  return factory;
}

function hint(unknown: readonly string[], known: readonly BalancerFactory[]): string {
  const names = known.map(({ policyName }) => policyName);
  const nearest = unknown.map((name) => nearestName(name, names)).find((name) => name !== undefined);
  return `${nearest === undefined ? "" : ` Did you mean "${nearest}"?`} Known policies: ${names.join(", ")}`;
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
