import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { type CallerList, compileCallerList } from "../call/caller-list.ts";
import { compileMethodRules } from "../call/method-rules.ts";
import type { ByMethod } from "../call/method-selector.ts";
import { namesOption, type OptionsOf, readOptions } from "../call/options.ts";
import { readProtoRule } from "../call/proto-rule.ts";

export const authRuleOptions = {
  /** The scopes that a token must have; all are required. Default: none. */
  scopes: namesOption().or([]),
  /** Roles, of which a token must have at least one. Default: no role is required. */
  roles: namesOption().or([]),
  /** Workloads that may call without a token. Default: none. */
  callers: namesOption(),
};

/**
 * Who may call a method: everyone; callers with a valid token; or callers whose token has all `scopes` and one of the `roles`. `callers`
 * lists workloads that may call without a token, if `createMtls` or `createServiceKeyGuard` has identified them. A rule that has only
 * `callers` admits no one else.
 */
export type AuthRule = "public" | "authenticated" | Readonly<OptionsOf<typeof authRuleOptions>>;

/** The scopes and roles that a rule requires. */
export interface TokenRule {
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
}

/** A compiled rule. */
export type CompiledRule =
  | "public"
  | {
      /** Undefined if the rule admits no tokens. */
      readonly token: TokenRule | undefined;
      /** Undefined if a token is always required. */
      readonly callers: CallerList | undefined;
    };

export interface RuleSources {
  readonly services: readonly DescService[];
  readonly rules: ByMethod<AuthRule>;
  readonly defaultRule: "deny" | "authenticated";
  /** Services that need no rule. */
  readonly exempt: readonly string[];
}

const authenticated: CompiledRule = { token: { scopes: [], roles: [] }, callers: undefined };

/** @throws TypeError for an invalid rule or selector, and for methods without a rule if the default is to deny */
export function compileRules(where: string, sources: RuleSources): (method: DescMethod) => CompiledRule | "deny" {
  return compileMethodRules<AuthRule, CompiledRule>(where, {
    ...sources,
    defaultRule: sources.defaultRule === "deny" ? undefined : authenticated,
    compile: compileRule,
    readProto: ruleOfProto,
  });
}

function compileRule(where: string, rule: AuthRule): CompiledRule {
  if (rule === "public") return "public";
  if (rule === "authenticated") return authenticated;
  if (typeof rule !== "object" || rule === null) {
    throw new TypeError(
      `${where} is ${JSON.stringify(rule)}; expected "public", "authenticated", or scopes, roles and callers`,
    );
  }
  const { scopes, roles, callers } = readOptions(where, authRuleOptions, rule);
  const isForCallersOnly = callers !== undefined && scopes.length === 0 && roles.length === 0;
  return {
    token: isForCallersOnly ? undefined : { scopes, roles },
    callers: callers === undefined ? undefined : compileCallerList(where, callers),
  };
}

function ruleOfProto(where: string, method: DescMethod): CompiledRule | undefined {
  const found = readProtoRule(where, method);
  if (found === undefined) return undefined;
  const { scopes, roles, callers } = found.rule;
  if (found.rule.public) return "public";
  const rule = { scopes, roles, ...(callers.length > 0 && { callers }) };
  return compileRule(`${where}: the rule of ${found.name}`, rule);
}
