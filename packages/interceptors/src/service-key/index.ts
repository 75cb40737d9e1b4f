export { type Caller, callerKey } from "../call/caller.ts";
export type { CallerRule, CallerRuleOptions } from "../call/guard-callers.ts";
export type { ByMethod, MethodSelector } from "../call/method-selector.ts";
export type { ServiceKeyEntry } from "./key-ring.ts";
export { createServiceKey, type ServiceKeyOptions, type ServiceKeySource } from "./service-key.ts";
export { createServiceKeyGuard, type ServiceKeyGuardOptions, type ServiceKeys } from "./service-key-guard.ts";
