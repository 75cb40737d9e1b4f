import type { DescMethod } from "@bufbuild/protobuf";
import type { ConnectError, Interceptor } from "@connectrpc/connect";
import { type CallRequest, createHookedInterceptor } from "@tercel/grpc/hooks";
import { type Caller, callerKey } from "./caller.ts";
import { type CallerList, compileCallerList } from "./caller-list.ts";
import { callerDenied, methodDenied } from "./denials.ts";
import { exemptServices } from "./exempt-services.ts";
import { compileMethodRules, defaultRuleOption } from "./method-rules.ts";
import type { ByMethod } from "./method-selector.ts";
import { flag, namesOption, type OptionsOf, own, readOptions, type SettingsOf, servicesOption } from "./options.ts";
import { readProtoRule } from "./proto-rule.ts";

const callerRule = {
  /** The names of workloads. */
  callers: namesOption().required(),
};

/**
 * Which workloads may call: any, without proof; any that has proved its identity; or those named. `spiffe://example.org/shop/*` names all
 * below it, `*` all that have proved their identity.
 */
export type CallerRule = "public" | "authenticated" | Readonly<OptionsOf<typeof callerRule>>;

/** Options of all interceptors that let programs in. */
export const callerRuleOptions = {
  /** The services that are served: each of their methods must have a rule, here or in the proto. */
  services: servicesOption(),
  /**
   * Who may call what, by method. A rule for a method or its service takes precedence over what the proto says, and that over a rule
   * for `*`.
   */
  methods: own<ByMethod<CallerRule>>("an object with rules by method"),
  /** What applies to methods without a rule. Default "deny": then such a method is an error at the start. */
  defaultRule: defaultRuleOption(),
  /** Lets anyone call the reflection service. Default false. The health service needs no proof in any case. */
  publicReflection: flag(),
  /**
   * Identifies the caller and leaves it to others what follows from that: calls without proof pass, and `services`, `methods`,
   * `defaultRule` and `publicReflection` must be absent. For `callers` in the rules of `createAuth`. Default false.
   */
  identifyOnly: flag().or(false),
};

export type CallerRuleOptions = OptionsOf<typeof callerRuleOptions>;

type CallerRuleSettings = SettingsOf<typeof callerRuleOptions>;

/** How one kind of proof is looked at. */
export interface CallerProof {
  /** Undefined when the call shows none. @throws ConnectError for one that does not count */
  identify(request: CallRequest): Caller | undefined | Promise<Caller | undefined>;
  missing(): ConnectError;
  /** In google.rpc.ErrorInfo. */
  readonly domain: string;
}

type CompiledRule = "public" | CallerList;

const anybodyKnown: CallerList = () => true;

/** @throws TypeError for an option or a rule that is wrong, and for methods without a rule */
export function guardCallers(where: string, settings: CallerRuleSettings, proof: CallerProof): Interceptor {
  const ruleOf = settings.identifyOnly ? onlyIdentify(where, settings) : rulesOf(where, settings);

  function admit(request: CallRequest, isAllowed: CallerList | undefined, caller: Caller | undefined): void {
    if (caller === undefined) {
      if (isAllowed !== undefined) throw proof.missing();
      return;
    }
    if (isAllowed !== undefined && !isAllowed(caller)) throw callerDenied(request, caller, proof.domain);
    request.contextValues.set(callerKey, caller);
  }

  return createHookedInterceptor<void>({
    begin(request) {
      const rule = ruleOf?.(request.method);
      if (rule === "public") return undefined;
      if (rule === "deny") throw methodDenied(request, proof.domain);
      const caller = proof.identify(request);
      if (!(caller instanceof Promise)) return admit(request, rule, caller);
      return caller.then((found) => admit(request, rule, found));
    },
  });
}

function onlyIdentify(where: string, settings: CallerRuleSettings): undefined {
  for (const name of ["services", "methods", "defaultRule", "publicReflection"] as const) {
    if (settings[name] === undefined) continue;
    throw new TypeError(
      `${where}: ${name} has no effect with identifyOnly, which lets every call pass; remove one of them`,
    );
  }
}

function rulesOf(where: string, settings: CallerRuleSettings): (method: DescMethod) => CompiledRule | "deny" {
  if (settings.services === undefined) {
    throw new TypeError(`${where}: services is missing; expected a list of service descriptors, or identifyOnly: true`);
  }
  const isDenied = (settings.defaultRule ?? "deny") === "deny";
  return compileMethodRules<CallerRule, CompiledRule>(where, {
    services: settings.services,
    rules: settings.methods ?? {},
    defaultRule: isDenied ? undefined : anybodyKnown,
    exempt: exemptServices(settings.publicReflection),
    compile: compileRule,
    readProto: ruleOfProto,
  });
}

function compileRule(where: string, rule: CallerRule): CompiledRule {
  if (rule === "public") return "public";
  if (rule === "authenticated") return anybodyKnown;
  if (typeof rule !== "object" || rule === null) {
    throw new TypeError(`${where} is ${JSON.stringify(rule)}; expected "public", "authenticated", or callers`);
  }
  return compileCallerList(where, readOptions(where, callerRule, rule).callers);
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
