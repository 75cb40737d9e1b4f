import { type DescMethod, type DescService, getOption, hasOption } from "@bufbuild/protobuf";
import { refuseUnknownOptions } from "@tercel/grpc";
import { checkRulePaths, pathOfMethod } from "../call/method-names.ts";
import { method as methodOption, type Rule, service as serviceOption } from "../gen/tercel/auth/v1/auth_pb.ts";

/**
 * Who may call: anybody; whoever has a valid token; or, of these, whoever has all of the scopes and one of the roles.
 */
export type AuthRule =
  | "public"
  | "authenticated"
  | { readonly scopes?: readonly string[]; readonly roles?: readonly string[] };

/** A rule as it is applied. "deny" is for methods that nobody has thought of. */
export type CompiledRule =
  | "public"
  | "deny"
  | { readonly scopes: readonly string[]; readonly roles: readonly string[] };

export interface RuleSources {
  readonly services: readonly DescService[];
  /** By `package.Service/Method` or `package.Service/*`. */
  readonly rules: Readonly<Record<string, AuthRule>>;
  readonly defaultRule: "deny" | "authenticated";
  /** Services that need no rule. */
  readonly exempt: readonly string[];
}

const authenticated: CompiledRule = { scopes: [], roles: [] };

/**
 * Decides for every method once. Rules in code go before those in the proto, a method's before its service's.
 *
 * @throws TypeError for a rule that names nothing, and for methods without a rule where these are denied
 */
export function compileRules(where: string, sources: RuleSources): (method: DescMethod) => CompiledRule {
  const { services, defaultRule, exempt } = sources;
  const given = checkedRules(where, sources.rules, services);
  const byPath = new Map<string, CompiledRule>();
  const forgotten: string[] = [];
  for (const service of services) {
    if (exempt.includes(service.typeName)) continue;
    for (const method of service.methods) {
      const path = pathOfMethod(method);
      const rule = given.get(path) ?? given.get(`${service.typeName}/*`) ?? ruleOfProto(where, method);
      if (rule === undefined && defaultRule === "deny") forgotten.push(path);
      byPath.set(path, rule ?? authenticated);
    }
  }
  if (forgotten.length > 0) {
    throw new TypeError(
      `${where}: nothing says who may call ${forgotten.join(", ")}; give them a rule, or set defaultRule: "authenticated"`,
    );
  }
  // Another copy of the generated code has other descriptors of the same methods.
  const byMethod = new WeakMap<DescMethod, CompiledRule>();
  return (method) => {
    let rule = byMethod.get(method);
    if (rule === undefined) {
      rule = exempt.includes(method.parent.typeName) ? "public" : (byPath.get(pathOfMethod(method)) ?? "deny");
      byMethod.set(method, rule);
    }
    return rule;
  };
}

function checkedRules(
  where: string,
  rules: Readonly<Record<string, AuthRule>>,
  services: readonly DescService[],
): Map<string, CompiledRule> {
  checkRulePaths(where, Object.keys(rules), services);
  const checked = new Map<string, CompiledRule>();
  for (const [path, rule] of Object.entries(rules)) {
    checked.set(path, compileRule(`${where}: rules["${path}"]`, rule));
  }
  return checked;
}

function compileRule(where: string, rule: AuthRule): CompiledRule {
  if (rule === "public") return "public";
  if (rule === "authenticated") return authenticated;
  if (typeof rule !== "object" || rule === null) {
    throw new TypeError(
      `${where} is ${JSON.stringify(rule)}; it has to be "public", "authenticated", or scopes and roles`,
    );
  }
  refuseUnknownOptions(where, rule, ["scopes", "roles"]);
  const { scopes = [], roles = [] } = rule;
  for (const [name, words] of Object.entries({ scopes, roles })) {
    if (!Array.isArray(words) || words.some((word) => typeof word !== "string" || word === "")) {
      throw new TypeError(`${where}: ${name} has to be a list of names`);
    }
  }
  return { scopes: [...scopes], roles: [...roles] };
}

function ruleOfProto(where: string, method: DescMethod): CompiledRule | undefined {
  if (hasOption(method, methodOption))
    return ruleOfMessage(where, pathOfMethod(method), getOption(method, methodOption));
  const { parent } = method;
  if (!hasOption(parent, serviceOption)) return undefined;
  return ruleOfMessage(where, parent.typeName, getOption(parent, serviceOption));
}

function ruleOfMessage(where: string, name: string, rule: Rule): CompiledRule {
  const { scopes, roles } = rule;
  if (!rule.public) return compileRule(`${where}: the rule of ${name}`, { scopes, roles });
  if (scopes.length === 0 && roles.length === 0) return "public";
  throw new TypeError(`${where}: the rule of ${name} in the proto is public, and asks for scopes or roles as well`);
}
