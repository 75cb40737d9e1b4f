import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { pathOfMethod } from "./method-path.ts";
import { type ByMethod, checkSelectors } from "./method-selector.ts";
import { type Option, oneOf } from "./options.ts";

export interface MethodRuleSources<Given, Rule> {
  readonly services: readonly DescService[];
  readonly rules: ByMethod<Given>;
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
 * Decides for every method once. Rules in code take precedence over those in the proto, except for that of `*`; a method's over its
 * service's. "deny" is for methods without a rule.
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
        given.get(path) ??
        given.get(`${service.typeName}/*`) ??
        // Before "*": a rule for all must not undo what the proto demands of a method.
        sources.readProto(where, method) ??
        given.get("*") ??
        defaultRule;
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
  checkSelectors(where, "methods", Object.keys(sources.rules), sources.services);
  const checked = new Map<string, Rule>();
  for (const [selector, rule] of Object.entries(sources.rules)) {
    checked.set(selector, sources.compile(`${where}: methods["${selector}"]`, rule));
  }
  return checked;
}

/** The option that says what applies to methods without a rule. */
export function defaultRuleOption(): Option<"deny" | "authenticated"> {
  return oneOf("deny", "authenticated");
}
