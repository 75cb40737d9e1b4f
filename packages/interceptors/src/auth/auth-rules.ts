import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { type CallerList, compileCallerList } from "../call/caller-list.ts";
import { compileMethodRules } from "../call/method-rules.ts";
import type { ByMethod } from "../call/method-selector.ts";
import { namesOption, type OptionsOf, readOptions } from "../call/options.ts";
import { readProtoRule } from "../call/proto-rule.ts";

export const authRuleOptions = {
  /** The scopes that a token must have, all of them. Default: none. */
  scopes: namesOption().or([]),
  /** The roles of which a token must have one. Default: any. */
  roles: namesOption().or([]),
  /** Workloads that may also call, without a token. Default: none. */
  callers: namesOption(),
};

/**
 * Who may call: anyone; callers with a valid token; or, of these, those with all of the scopes and one of the roles. `callers` names
 * workloads that may also call, without a token, when `createMtls` or `createServiceKeyGuard` has identified them; alone it lets in no
 * other caller.
 */
export type AuthRule = "public" | "authenticated" | Readonly<OptionsOf<typeof authRuleOptions>>;

/** What a token must have. */
export interface TokenRule {
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
}

/** A rule as it is applied. */
export type CompiledRule =
  | "public"
  | {
      /** Undefined when no token is enough. */
      readonly token: TokenRule | undefined;
      /** Undefined when a token is needed. */
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

/** @throws TypeError for a rule that is wrong or names nothing, and for methods without a rule where these are denied */
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
