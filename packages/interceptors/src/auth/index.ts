export { type Caller, callerKey } from "../call/caller.ts";
export { type Claims, claimsKey } from "../call/claims.ts";
export type { ByMethod, MethodSelector } from "../call/method-selector.ts";
export { type AuthOptions, createAuth } from "./auth.ts";
export type { AuthRule } from "./auth-rules.ts";
export { type BearerToken, type BearerTokenOptions, createBearerToken, type GetToken } from "./bearer-token.ts";
export type { JwksOptions } from "./jwks.ts";
export type { TokenAlgorithm, TokenKey } from "./token-keys.ts";
