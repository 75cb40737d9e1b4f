export { type Caller, callerKey } from "../call/caller.ts";
export type { CallerRule, CallerRuleOptions } from "../call/guard-callers.ts";
export type { ServiceKeyEntry } from "./key-ring.ts";
export { type ServiceKeyOptions, type ServiceKeySource, serviceKey } from "./service-key.ts";
export { createServiceKeyGuard, type ServiceKeyGuardOptions, type ServiceKeys } from "./service-key-guard.ts";
