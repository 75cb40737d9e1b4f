export { type Caller, callerKey } from "../call/caller.ts";
export type { CallerRule, CallerRuleOptions } from "../call/guard-callers.ts";
export { createMtls, type MtlsOptions } from "./mtls.ts";
