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
  /** The names of the admitted workloads. */
  callers: namesOption().required(),
};

/**
 * Which workloads may call a method: all, without identification; all identified ones; or those listed. `spiffe://example.org/shop/*` is
 * every workload below that path, `*` every identified workload.
 */
export type CallerRule = "public" | "authenticated" | Readonly<OptionsOf<typeof callerRule>>;

/** The options of all interceptors that identify workloads. */
export const callerRuleOptions = {
  /** The services of the server. Each of their methods must have a rule, here or in the proto. */
  services: servicesOption(),
  /**
   * Rules by method. A rule for a method or its service takes precedence over the rule in the proto, which takes precedence over a rule
   * for `*`.
   */
  methods: own<ByMethod<CallerRule>>("an object with rules by method"),
  /** The rule of methods without a rule. Default "deny": such a method is an error at the start. */
  defaultRule: defaultRuleOption(),
  /** Whether the reflection service needs no identification. Default false. The health service never needs it. */
  publicReflection: flag(),
  /**
   * Whether to only identify callers, for `callers` in the rules of `createAuth`. Unidentified calls pass, and `services`, `methods`,
   * `defaultRule` and `publicReflection` must not be set. Default false.
   */
  identifyOnly: flag().or(false),
};

export type CallerRuleOptions = OptionsOf<typeof callerRuleOptions>;

type CallerRuleSettings = SettingsOf<typeof callerRuleOptions>;

/** How one kind of credentials identifies a caller. */
export interface CallerProof {
  /** Returns the caller, or undefined without credentials. @throws ConnectError for invalid credentials */
  identify(request: CallRequest): Caller | undefined | Promise<Caller | undefined>;
  /** Returns the error for a call without credentials. */
  missing(): ConnectError;
  /** The domain in google.rpc.ErrorInfo. */
  readonly domain: string;
}

type CompiledRule = "public" | CallerList;

const anybodyKnown: CallerList = () => true;

/** Creates the interceptor. @throws TypeError for an invalid option or rule, and for methods without a rule */
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

/** Scopes and roles apply to tokens only, so a rule with nothing else admits no workload. */
function ruleOfProto(where: string, method: DescMethod): CompiledRule | undefined {
  const found = readProtoRule(where, method);
  if (found === undefined) return undefined;
  const { rule, name } = found;
  if (rule.public) return "public";
  const asksForToken = rule.scopes.length > 0 || rule.roles.length > 0;
  if (rule.callers.length === 0 && !asksForToken) return anybodyKnown;
  return compileCallerList(`${where}: the rule of ${name}`, rule.callers);
}
