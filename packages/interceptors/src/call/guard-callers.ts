import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { ConnectError, Interceptor, StreamRequest, UnaryRequest } from "@connectrpc/connect";
import { refuseUnknownOptions } from "@tercel/grpc/internal";
import { type Caller, callerKey } from "./caller.ts";
import { type CallerList, compileCallerList } from "./caller-list.ts";
import { callerDenied, methodDenied } from "./denials.ts";
import { exemptServices } from "./exempt-services.ts";
import { checkServices } from "./method-names.ts";
import { checkDefaultRule, compileMethodRules } from "./method-rules.ts";
import { readProtoRule } from "./proto-rule.ts";

/**
 * Which programs may call: any, without proof; any that has proved to be one; or those named. `spiffe://example.org/shop/*` names
 * all below, `*` all that have proved to be somebody.
 */
export type CallerRule = "public" | "authenticated" | { readonly callers: readonly string[] };

/** Options that all interceptors have which let programs in. */
export interface CallerRuleOptions {
  /** The services that are served: every method of theirs has to have a rule, here or in the proto. */
  services?: readonly DescService[];
  /** Who may call what, by `package.Service/Method` or `package.Service/*`. Goes before what the proto says. */
  rules?: Readonly<Record<string, CallerRule>>;
  /** What holds for methods without a rule. Default "deny": that such a method exists is an error at the start. */
  defaultRule?: "deny" | "authenticated";
  /** Lets anybody ask the reflection service. Default false. The health service needs no proof in any case. */
  publicReflection?: boolean;
  /**
   * Finds out who calls, and leaves it to others what follows from that: calls without proof pass, and `services`, `rules`,
   * `defaultRule` and `publicReflection` must be absent. For `callers` in the rules of `createAuth`. Default false.
   */
  identifyOnly?: boolean;
}

export const callerRuleOptionNames = [
  "services",
  "rules",
  "defaultRule",
  "publicReflection",
  "identifyOnly",
] as const satisfies readonly (keyof CallerRuleOptions)[];

/** How one kind of proof is looked at. */
export interface CallerProof {
  /** Undefined when the call shows none. @throws ConnectError for one that does not count */
  identify(request: UnaryRequest | StreamRequest): Caller | undefined | Promise<Caller | undefined>;
  missing(): ConnectError;
  /** In google.rpc.ErrorInfo. */
  readonly domain: string;
}

type CompiledRule = "public" | CallerList;

const anybodyKnown: CallerList = () => true;

/** @throws TypeError for an option or a rule that is wrong, and for methods without a rule */
export function guardCallers(where: string, options: CallerRuleOptions, proof: CallerProof): Interceptor {
  const ruleOf = options.identifyOnly === true ? onlyIdentify(where, options) : rulesOf(where, options);
  return (next) => {
    function admit(
      request: UnaryRequest | StreamRequest,
      isAllowed: CallerList | undefined,
      caller: Caller | undefined,
    ): ReturnType<typeof next> {
      if (caller === undefined) {
        return isAllowed === undefined ? next(request) : Promise.reject(proof.missing());
      }
      if (isAllowed !== undefined && !isAllowed(caller)) {
        return Promise.reject(callerDenied(request, caller, proof.domain));
      }
      request.contextValues.set(callerKey, caller);
      return next(request);
    }

    return (request) => {
      const rule = ruleOf?.(request.method);
      if (rule === "public") return next(request);
      if (rule === "deny") return Promise.reject(methodDenied(request, proof.domain));
      let caller: Caller | undefined | Promise<Caller | undefined>;
      try {
        caller = proof.identify(request);
      } catch (error) {
        return Promise.reject(error);
      }
      if (!(caller instanceof Promise)) return admit(request, rule, caller);
      return caller.then((found) => admit(request, rule, found));
    };
  };
}

function onlyIdentify(where: string, options: CallerRuleOptions): undefined {
  for (const name of ["services", "rules", "defaultRule", "publicReflection"] as const) {
    if (options[name] === undefined) continue;
    throw new TypeError(`${where}: ${name} means nothing with identifyOnly, which lets everybody pass`);
  }
}

function rulesOf(where: string, options: CallerRuleOptions): (method: DescMethod) => CompiledRule | "deny" {
  if (options.services === undefined) {
    throw new TypeError(`${where}: services has to be given, or identifyOnly: true`);
  }
  const isDenied = checkDefaultRule(where, options.defaultRule) === "deny";
  return compileMethodRules<CallerRule, CompiledRule>(where, {
    services: checkServices(where, options.services),
    rules: options.rules ?? {},
    defaultRule: isDenied ? undefined : anybodyKnown,
    exempt: exemptServices(options.publicReflection),
    compile: compileRule,
    readProto: ruleOfProto,
  });
}

function compileRule(where: string, rule: CallerRule): CompiledRule {
  if (rule === "public") return "public";
  if (rule === "authenticated") return anybodyKnown;
  if (typeof rule !== "object" || rule === null) {
    throw new TypeError(`${where} is ${JSON.stringify(rule)}; it has to be "public", "authenticated", or callers`);
  }
  refuseUnknownOptions(where, rule, ["callers"]);
  return compileCallerList(where, rule.callers);
}

/** Scopes and roles are a token's, so a rule that has only these lets no program in. */
function ruleOfProto(where: string, method: DescMethod): CompiledRule | undefined {
  const found = readProtoRule(where, method);
  if (found === undefined) return undefined;
  const { rule, name } = found;
  if (rule.public) return "public";
  const asksForToken = rule.scopes.length > 0 || rule.roles.length > 0;
  if (rule.callers.length === 0 && !asksForToken) return anybodyKnown;
  return compileCallerList(`${where}: the rule of ${name}`, rule.callers);
}
