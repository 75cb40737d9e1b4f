import type { ConnectError, Interceptor } from "@connectrpc/connect";
import type { Log } from "@tercel/grpc";
import { permissionDenied, unauthenticated, unavailable } from "@tercel/grpc/errors";
import { type CallRequest, createHookedInterceptor, readHeader } from "@tercel/grpc/hooks";
import { safeLog, thrownText } from "@tercel/grpc/internal";
import { callerKey } from "../call/caller.ts";
import { type Claims, claimsKey } from "../call/claims.ts";
import { callerDenied, methodDenied } from "../call/denials.ts";
import { exemptServices } from "../call/exempt-services.ts";
import { methodPath } from "../call/method-path.ts";
import { defaultRuleOption } from "../call/method-rules.ts";
import type { ByMethod } from "../call/method-selector.ts";
import {
  callback,
  clockOption,
  flag,
  listOf,
  logOption,
  type OptionsOf,
  own,
  readOptions,
  type SettingsOf,
  servicesOption,
  text,
  wallClockOption,
  wholeNumber,
} from "../call/options.ts";
import { type AuthRule, compileRules, type TokenRule } from "./auth-rules.ts";
import { endAtExpiry } from "./end-at-expiry.ts";
import { JwksKeys, type JwksOptions, KeysUnavailable } from "./jwks.ts";
import { loadJose } from "./load-jose.ts";
import { type TokenKey, TokenKeys } from "./token-keys.ts";
import { TokenRefused, TokenVerifier, type VerifiedToken } from "./token-verifier.ts";

const nameOrNames = "a text or a list of texts, none of them empty";

export const authOptions = {
  /** The services of the server. Each of their methods must have a rule, here or in the proto. Required. */
  services: servicesOption().required(),
  /** Fixed keys. Either these or `jwks` are required; with both, the fixed keys are tried first. Default: none. */
  keys: listOf(own<TokenKey>("an object with algorithm and key"), "a list of keys").or([]),
  /** The issuer's published keys: `url`, `algorithms`, `maxAgeMs`, `cooldownMs`, `timeoutMs` and `fetch`. Default: none. */
  jwks: own<JwksOptions>("an object with url and algorithms"),
  /** The accepted issuers: `iss` must be this, or one of these. Required. */
  issuer: own<string | readonly string[]>(nameOrNames, isNameOrNames).required(),
  /** The audience of this server: `aud` must contain this, or one of these. Required, or tokens for other services would be accepted. */
  audience: own<string | readonly string[]>(nameOrNames, isNameOrNames).required(),
  /** The required `typ` in the token's header, for example `at+jwt` (RFC 9068). Default: not checked. */
  type: text(),
  /** The tolerated clock difference to the issuer, for `exp` and `nbf`; at most 60,000 ms. Default 30,000 ms. */
  clockToleranceMs: wholeNumber(0, 60_000).or(30_000),
  /**
   * Rules by method. A rule for a method or its service takes precedence over the rule in the proto, which takes precedence over a rule
   * for `*`. Default: only the rules in the proto.
   */
  methods: own<ByMethod<AuthRule>>("an object with rules by method").or({}),
  /** The rule of methods without a rule. Default "deny": such a method is an error at the start. */
  defaultRule: defaultRuleOption().or("deny"),
  /** Whether the reflection service needs no token. Default false. The health service never needs one. */
  publicReflection: flag(),
  /** Returns the scopes of a token. Default: `scope` (RFC 8693) or `scp`, as a list or a string with spaces. */
  scopesOf: callback<(claims: Claims) => readonly string[]>().or((claims) => toNames(claims.scope ?? claims.scp, " ")),
  /** Returns the roles of a token. Default: the list `roles`. */
  rolesOf: callback<(claims: Claims) => readonly string[]>().or((claims) => toNames(claims.roles)),
  /** The maximum number of cached tokens, whose signature is not verified again for each call. Default 10,000; 0 disables the cache. */
  maxCachedTokens: wholeNumber(0, 10_000_000).or(10_000),
  /** Verifies a cached token again after this time, so that tokens of a revoked key become invalid. Default 300,000 ms. */
  maxTrustMs: wholeNumber(0).or(300_000),
  /** Whether streams fail with UNAUTHENTICATED when their token expires. Default false: a token is checked when the call starts. */
  endStreamsAtExpiry: flag().or(false),
  /** The domain in google.rpc.ErrorInfo. Default "tercel.auth". */
  domain: text().or("tercel.auth"),
  /** Receives the reasons for rejected tokens at level "debug", and a warning when keys cannot be fetched. Default: standard error. */
  log: logOption(),
  /** For tests. */
  clock: clockOption(),
  /** For tests: milliseconds since 1970. Default `Date.now`. */
  wallClockMs: wallClockOption(),
};

export type AuthOptions = OptionsOf<typeof authOptions>;

type AuthSettings = SettingsOf<typeof authOptions>;

const where = "createAuth";

/**
 * Creates a server interceptor that requires a valid JWT in `authorization: Bearer …` (RFC 8725), and applies the method's rule to it. Handlers
 * get the claims with `claimsKey`. A call without a valid token fails with UNAUTHENTICATED, a call whose token does not satisfy the rule with
 * PERMISSION_DENIED, and while no keys can be fetched, calls fail with UNAVAILABLE.
 *
 * Needs the package `jose`. If it is not installed, the process ends with an error that names it; `createServerStack` rejects with that error.
 *
 * @throws TypeError or RangeError for an invalid option, key or rule, and for methods without a rule
 */
export function createAuth(options: AuthOptions): Interceptor {
  const settings = readOptions(where, authOptions, options);
  const { clock, wallClockMs, domain, endStreamsAtExpiry } = settings;
  const log = safeLog(settings.log);
  // A rejection stays unhandled on purpose, as for a failed static import: a server that cannot verify tokens must not start.
  void loadJose();
  const verifier = createVerifier(settings, log);
  const ruleOf = compileRules(where, {
    services: settings.services,
    rules: settings.methods,
    defaultRule: settings.defaultRule,
    exempt: exemptServices(settings.publicReflection),
  });

  function notAuthenticated(reason: string, message: string): ConnectError {
    const error = unauthenticated({ message, reason, domain });
    // RFC 6750 §3: the challenge has no error code if the request had no credentials.
    error.metadata.set("www-authenticate", reason === "TOKEN_MISSING" ? "Bearer" : 'Bearer error="invalid_token"');
    return error;
  }

  function refusal(error: unknown, request: CallRequest): unknown {
    if (error instanceof TokenRefused) {
      log.debug("token rejected", { method: methodPath(request), reason: error.problem, why: error.message });
      const isExpired = error.problem === "TOKEN_EXPIRED";
      return notAuthenticated(error.problem, isExpired ? "the token has expired" : "the token is not valid");
    }
    if (error instanceof KeysUnavailable) {
      return unavailable({ message: "tokens cannot be checked at the moment", reason: "KEYS_UNAVAILABLE", domain });
    }
    log.error("cannot verify a token", { method: methodPath(request), error: thrownText(error) });
    return notAuthenticated("TOKEN_INVALID", "the token is not valid");
  }

  /** Applies the rule to a valid token. `rule` is undefined if the caller is admitted whatever its token contains. */
  function admit(request: CallRequest, rule: TokenRule | undefined, token: VerifiedToken): VerifiedToken {
    if (rule !== undefined) {
      const missing = rule.scopes.find((scope) => !token.scopes.has(scope));
      if (missing !== undefined || (rule.roles.length > 0 && !rule.roles.some((role) => token.roles.has(role)))) {
        throw notAllowed(request, missing, rule, domain);
      }
    }
    request.contextValues.set(claimsKey, token.claims);
    return token;
  }

  /** Returns the token of the call. Undefined if none is needed: the method is public, or its rule lists the caller. */
  function authenticate(request: CallRequest): VerifiedToken | undefined | Promise<VerifiedToken> {
    const rule = ruleOf(request.method);
    if (rule === "public") return undefined;
    if (rule === "deny") throw methodDenied(request, domain);
    const caller = rule.callers === undefined ? undefined : request.contextValues.get(callerKey);
    const isKnown = caller !== undefined && rule.callers?.(caller) === true;
    const header = readHeader(request, "authorization");
    const recalled = header === null ? undefined : verifier.recall(header);
    const token = recalled === undefined ? bearerOf(header) : undefined;
    const hasToken = recalled !== undefined || token !== undefined;
    if (!isKnown && (!hasToken || rule.token === undefined)) {
      if (caller !== undefined) throw callerDenied(request, caller, domain);
      throw rule.token === undefined
        ? unauthenticated({ message: "only known workloads may call this method", reason: "CALLER_UNKNOWN", domain })
        : notAuthenticated("TOKEN_MISSING", "the call carries no bearer token");
    }
    // A known workload may send the token of its user, so any token that is sent must be valid.
    const needed = isKnown ? undefined : rule.token;
    if (recalled !== undefined) return admit(request, needed, recalled);
    if (header === null || token === undefined) return undefined;
    return verifier.verify(header, token).then(
      (fresh) => admit(request, needed, fresh),
      (error) => {
        throw refusal(error, request);
      },
    );
  }

  if (!endStreamsAtExpiry) return createHookedInterceptor<unknown>({ begin: authenticate });
  // A hook cannot end a stream that neither side has ended.
  return (next) => async (request) => {
    const token = await authenticate(request);
    if (token === undefined || !request.stream) return next(request);
    return endAtExpiry(
      next,
      request,
      clock,
      () => token.expiresAtMs - wallClockMs(),
      () => notAuthenticated("TOKEN_EXPIRED", "the token has expired"),
    );
  };
}

function notAllowed(request: CallRequest, scope: string | undefined, rule: TokenRule, domain: string): ConnectError {
  const error = permissionDenied({
    message: "the caller may not call this method",
    reason: scope === undefined ? "ROLE_MISSING" : "SCOPE_MISSING",
    domain,
    metadata: { method: methodPath(request), ...(scope !== undefined && { scope }) },
  });
  if (scope !== undefined) {
    const challenge = `Bearer error="insufficient_scope", scope="${rule.scopes.join(" ")}"`;
    if (/^[\x20-\x7e]*$/.test(challenge)) error.metadata.set("www-authenticate", challenge);
  }
  return error;
}

/** Returns the bearer token. The scheme is case-insensitive (RFC 9110 §11.1). */
function bearerOf(header: string | null): string | undefined {
  if (header === null || header.slice(0, 7).toLowerCase() !== "bearer ") return undefined;
  return header.slice(7);
}

function createVerifier(settings: AuthSettings, log: Log): TokenVerifier {
  const { keys, jwks, clock } = settings;
  if (keys.length === 0 && jwks === undefined) {
    throw new TypeError(`${where}: expected keys or jwks; without them, no token can be verified`);
  }
  return new TokenVerifier({
    ...settings,
    keys: keys.length === 0 ? undefined : new TokenKeys(where, keys),
    jwks: jwks === undefined ? undefined : new JwksKeys(`${where}: jwks`, jwks, clock, log),
  });
}

function toNames(claim: unknown, separator?: string): readonly string[] {
  if (Array.isArray(claim)) return claim.filter((name) => typeof name === "string");
  return typeof claim === "string" && separator !== undefined ? claim.split(separator) : [];
}

/** Whether the value is a non-empty string, or a non-empty list of them. */
function isNameOrNames(value: unknown): boolean {
  const all: readonly unknown[] = Array.isArray(value) ? value : [value];
  return all.length > 0 && all.every((one) => typeof one === "string" && one !== "");
}
