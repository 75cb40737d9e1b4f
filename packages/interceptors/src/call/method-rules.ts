import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { pathOfMethod } from "./method-path.ts";
import { type ByMethod, checkSelectors } from "./method-selector.ts";
import { type Option, oneOf } from "./options.ts";

export interface MethodRuleSources<Given, Rule> {
  readonly services: readonly DescService[];
  readonly rules: ByMethod<Given>;
  /** The rule of methods without a rule; undefined makes them an error. */
  readonly defaultRule: Rule | undefined;
  /** Services that need no rule. */
  readonly exempt: readonly string[];
  /** @throws TypeError for an invalid rule */
  compile(where: string, rule: Given): Rule;
  /** Returns the rule in the proto, if there is one. */
  readProto(where: string, method: DescMethod): Rule | undefined;
}

/**
 * Determines the rule of every method. Rules in code take precedence over those in the proto, except for a rule of `*`; rules of a method take
 * precedence over those of its service. Methods of unknown services get "deny".
 *
 * @throws TypeError for a selector that matches no method, and for methods without a rule if `defaultRule` is undefined
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
        given.get(path) ??
        given.get(`${service.typeName}/*`) ??
        // Before "*": a rule for all methods must not override the rule of a method in the proto.
        sources.readProto(where, method) ??
        given.get("*") ??
        defaultRule;
      if (rule === undefined) forgotten.push(path);
      else byPath.set(path, rule);
    }
  }
  if (forgotten.length > 0) {
    throw new TypeError(
      `${where}: no rule for ${forgotten.join(", ")}; add rules, or set defaultRule: "authenticated"`,
    );
  }
  // Another copy of the generated code has different descriptors of the same methods, so rules are found by path and cached by descriptor.
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
  checkSelectors(where, "methods", Object.keys(sources.rules), sources.services);
  const checked = new Map<string, Rule>();
  for (const [selector, rule] of Object.entries(sources.rules)) {
    checked.set(selector, sources.compile(`${where}: methods["${selector}"]`, rule));
  }
  return checked;
}

/** The option for the rule of methods without a rule. */
export function defaultRuleOption(): Option<"deny" | "authenticated"> {
  return oneOf("deny", "authenticated");
}
