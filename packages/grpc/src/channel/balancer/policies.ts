import { createAttributeFilter } from "./attribute-filter.ts";
import { isJsonObject } from "./config-fields.ts";
import { ejectingHung } from "./hung-ejection.ts";
import type { BalancerFactory } from "./index.ts";
import { createLeastRequest } from "./least-request.ts";
import { createOutlierDetection } from "./outlier-detection.ts";
import { createPickFirst } from "./pick-first.ts";
import type { ChoosePolicy } from "./policy-choice.ts";
import { createRandom } from "./random.ts";
import { createRandomSubsetting } from "./random-subsetting.ts";
import { createRingHash } from "./ring-hash.ts";
import { createRoundRobin } from "./round-robin.ts";
import { createWeightedRoundRobin } from "./weighted-round-robin.ts";

/** The policies that one channel knows. */
export interface Policies {
  readonly all: readonly BalancerFactory[];
  readonly choose: ChoosePolicy;
}

/** gRFCs name policies so until every implementation has them, and service configs that are in use keep those names. */
const experimentalSuffix = "_experimental";

/**
 * The built-in policies and `custom` ones, which go before built-in ones of the same name. Those that spread calls
 * by themselves eject endpoints that hang; as the child of `outlier_detection` they do what its config says. `random` is for tests.
 *
 * @throws TypeError when two custom policies have the same name, or one has none
 */
export function createPolicies(
  custom: readonly BalancerFactory[] = [],
  options: { readonly random?: () => number } = {},
): Policies {
  const choose: ChoosePolicy = (where, list) => choosePolicy(all, where, list);
  const choosePlain: ChoosePolicy = (where, list) =>
    choosePolicy(
      all.map((factory) => plain.get(factory) ?? factory),
      where,
      list,
    );
  const plain = new Map<BalancerFactory, BalancerFactory>();
  const balanced = [
    createRoundRobin(options),
    createRandom(options),
    createLeastRequest(options),
    createWeightedRoundRobin(options),
    createRingHash(options),
  ].map((factory) => {
    const ejecting = ejectingHung(factory, options.random ?? Math.random);
    plain.set(ejecting, factory);
    return ejecting;
  });
  const builtin: readonly BalancerFactory[] = [
    createPickFirst(options),
    ...balanced,
    createRandomSubsetting(choose, options),
    createOutlierDetection(choosePlain, options),
    createAttributeFilter(choose),
  ];
  const byName = new Map(builtin.map((factory) => [factory.policyName, factory]));
  const customNames = new Set<string>();
  for (const factory of custom) {
    const { policyName } = factory;
    if (typeof policyName !== "string" || policyName === "" || typeof factory.create !== "function") {
      throw new TypeError(`balancers holds ${JSON.stringify(policyName)}, which is not a balancer factory`);
    }
    if (customNames.has(policyName)) throw new TypeError(`balancers holds two policies named "${policyName}"`);
    customNames.add(policyName);
    byName.set(policyName, factory);
  }
  const all = [...byName.values()];
  return { all, choose };
}

/** The policy of that name, or of the name without `_experimental`; undefined when it is unknown. */
export function findPolicy(policies: readonly BalancerFactory[], name: string): BalancerFactory | undefined {
  const plainName = name.endsWith(experimentalSuffix) ? name.slice(0, -experimentalSuffix.length) : name;
  return (
    policies.find(({ policyName }) => policyName === name) ??
    policies.find(({ policyName }) => policyName === plainName)
  );
}

function choosePolicy(
  policies: readonly BalancerFactory[],
  where: string,
  list: Parameters<ChoosePolicy>[1],
): ReturnType<ChoosePolicy> {
  if (!Array.isArray(list) || list.length === 0) {
    throw new TypeError(`${where} has to be a list of policies, such as [{ "round_robin": {} }]`);
  }
  const unknown: string[] = [];
  for (const entry of list) {
    const names = isJsonObject(entry) ? Object.keys(entry) : [];
    const [name] = names;
    if (!isJsonObject(entry) || name === undefined || names.length > 1) {
      const shown = JSON.stringify(entry).slice(0, 100);
      throw new TypeError(
        `${where} holds ${shown}; each entry has to be an object with the policy's name as its only key`,
      );
    }
    const factory = findPolicy(policies, name);
    if (factory === undefined) {
      unknown.push(name);
      continue;
    }
    const config = entry[name];
    if (!isJsonObject(config)) throw new TypeError(`${where}: the config of ${name} has to be an object`);
    return factory.parseConfig === undefined ? { factory } : { factory, config: factory.parseConfig(config) };
  }
  throw new TypeError(
    `${where} names only unknown policies, ${unknown.join(", ")}; known policies: ${policies.map(({ policyName }) => policyName).join(", ")}`,
  );
}
