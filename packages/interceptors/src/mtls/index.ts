export { type Caller, callerKey } from "../call/caller.ts";
export type { CallerRule, CallerRuleOptions } from "../call/guard-callers.ts";
export type { ByMethod, MethodSelector } from "../call/method-selector.ts";
export { createMtls, type MtlsOptions } from "./mtls.ts";
