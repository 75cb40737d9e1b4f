import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { checkRulePaths, pathOfMethod } from "./method-names.ts";

export interface MethodRuleSources<Given, Rule> {
  readonly services: readonly DescService[];
  /** By `package.Service/Method` or `package.Service/*`. */
  readonly rules: Readonly<Record<string, Given>>;
  /** What holds for methods without a rule; undefined makes them an error. */
  readonly defaultRule: Rule | undefined;
  /** Services that need no rule. */
  readonly exempt: readonly string[];
  /** @throws TypeError for a rule that is wrong */
  compile(where: string, rule: Given): Rule;
  /** What the proto says; undefined when it says nothing. */
  readProto(where: string, method: DescMethod): Rule | undefined;
}

/**
 * Decides for every method once. Rules in code go before those in the proto, a method's before its service's. "deny" is for methods
 * that no one has thought of.
 *
 * @throws TypeError for a rule that names nothing, and for methods without a rule where these are denied
 */
export function compileMethodRules<Given, Rule>(
  where: string,
  sources: MethodRuleSources<Given, Rule>,
): (method: DescMethod) => Rule | "public" | "deny" {
  const { services, defaultRule, exempt } = sources;
  const given = checkedRules(where, sources);
  const byPath = new Map<string, Rule>();
  const forgotten: string[] = [];
  for (const service of services) {
    if (exempt.includes(service.typeName)) continue;
    for (const method of service.methods) {
      const path = pathOfMethod(method);
      const rule =
        given.get(path) ?? given.get(`${service.typeName}/*`) ?? sources.readProto(where, method) ?? defaultRule;
      if (rule === undefined) forgotten.push(path);
      else byPath.set(path, rule);
    }
  }
  if (forgotten.length > 0) {
    throw new TypeError(
      `${where}: nothing says who may call ${forgotten.join(", ")}; give them a rule, or set defaultRule: "authenticated"`,
    );
  }
  // Another copy of the generated code has other descriptors of the same methods.
  const byMethod = new WeakMap<DescMethod, Rule | "public" | "deny">();
  return (method) => {
    let rule = byMethod.get(method);
    if (rule === undefined) {
      rule = exempt.includes(method.parent.typeName) ? "public" : (byPath.get(pathOfMethod(method)) ?? "deny");
      byMethod.set(method, rule);
    }
    return rule;
  };
}

function checkedRules<Given, Rule>(where: string, sources: MethodRuleSources<Given, Rule>): Map<string, Rule> {
  checkRulePaths(where, Object.keys(sources.rules), sources.services);
  const checked = new Map<string, Rule>();
  for (const [path, rule] of Object.entries(sources.rules)) {
    checked.set(path, sources.compile(`${where}: rules["${path}"]`, rule));
  }
  return checked;
}

/** @throws TypeError for anything but the two, or nothing, which means "deny" */
export function checkDefaultRule(where: string, rule: "deny" | "authenticated" = "deny"): "deny" | "authenticated" {
  if (rule === "deny" || rule === "authenticated") return rule;
  throw new TypeError(`${where}: defaultRule is ${JSON.stringify(rule)}; it has to be "deny" or "authenticated"`);
}

/** @throws TypeError unless it is a list of texts, none of them empty */
export function checkNameList(where: string, name: string, words: unknown): readonly string[] {
  if (Array.isArray(words) && words.every((word) => typeof word === "string" && word !== "")) return [...words];
  throw new TypeError(`${where}: ${name} has to be a list of names`);
}
