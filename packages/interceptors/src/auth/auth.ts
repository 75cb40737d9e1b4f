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
  /** The services that are served: each of their methods must have a rule, here or in the proto. Required. */
  services: servicesOption().required(),
  /** Fixed keys. These or `jwks` must be given; with both, the fixed ones are tried first. Default: none. */
  keys: listOf(own<TokenKey>("an object with algorithm and key"), "a list of keys").or([]),
  /** Keys that the issuer publishes: `url`, `algorithms`, `maxAgeMs`, `cooldownMs`, `timeoutMs` and `fetch`. Default: none. */
  jwks: own<JwksOptions>("an object with url and algorithms"),
  /** Whose tokens are accepted: `iss` must be this, or one of these. Required. */
  issuer: own<string | readonly string[]>(nameOrNames, isNameOrNames).required(),
  /** The server: `aud` must contain this, or one of these. Required: without it, a token for another service would be accepted. */
  audience: own<string | readonly string[]>(nameOrNames, isNameOrNames).required(),
  /** What `typ` in the token's header must be, for example `at+jwt` (RFC 9068). Default: it is ignored. */
  type: text(),
  /** How far the issuer's clock may differ, for `exp` and `nbf`; at most 60,000 ms. Default 30,000 ms. */
  clockToleranceMs: wholeNumber(0, 60_000).or(30_000),
  /**
   * Who may call what, by method. A rule for a method or its service takes precedence over what the proto says, and that over a rule
   * for `*`. Default: the proto decides.
   */
  methods: own<ByMethod<AuthRule>>("an object with rules by method").or({}),
  /** What applies to methods without a rule. Default "deny": then such a method is an error at the start. */
  defaultRule: defaultRuleOption().or("deny"),
  /** Lets anyone call the reflection service. Default false. The health service needs no token in any case. */
  publicReflection: flag(),
  /** Where a token has its scopes. Default: `scope` (RFC 8693) or `scp`, a list or a text with spaces. */
  scopesOf: callback<(claims: Claims) => readonly string[]>().or((claims) => toNames(claims.scope ?? claims.scp, " ")),
  /** Where a token has its roles. Default: `roles`, a list. */
  rolesOf: callback<(claims: Claims) => readonly string[]>().or((claims) => toNames(claims.roles)),
  /** Verified tokens that are remembered, so that their signature is not verified with every call. Default 10,000; 0 for none. */
  maxCachedTokens: wholeNumber(0, 10_000_000).or(10_000),
  /** A remembered token is verified again after this, so that a withdrawn key stops counting. Default 300,000 ms. */
  maxTrustMs: wholeNumber(0).or(300_000),
  /** Streams fail with UNAUTHENTICATED when their token expires. Default false: a token is verified when a call begins. */
  endStreamsAtExpiry: flag().or(false),
  /** The domain in google.rpc.ErrorInfo. Default "tercel.auth". */
  domain: text().or("tercel.auth"),
  /** Gets, at level "debug", why tokens are refused, and a warning when keys cannot be fetched. Default: standard error. */
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
 * A server interceptor that lets calls through whose `authorization: Bearer …` is a valid JWT (RFC 8725), and whose caller the method's
 * rule allows. Handlers find the claims under `claimsKey`. Without a valid token a call fails with UNAUTHENTICATED,
 * with one that is not enough with PERMISSION_DENIED, and while no keys can be fetched with UNAVAILABLE.
 *
 * Needs the package `jose`. Where it is not installed, the process ends with an error that says so; `createServerStack` rejects with it.
 *
 * @throws TypeError or RangeError for an option, a key or a rule that is wrong, and for methods without a rule
 */
export function createAuth(options: AuthOptions): Interceptor {
  const settings = readOptions(where, authOptions, options);
  const { clock, wallClockMs, domain, endStreamsAtExpiry } = settings;
  const log = safeLog(settings.log);
  // Its rejection stays unhandled: a server that could not check a token must not start, just as with an import of the file's own.
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
    // RFC 6750 §3: without credentials nothing is said about an error.
    error.metadata.set("www-authenticate", reason === "TOKEN_MISSING" ? "Bearer" : 'Bearer error="invalid_token"');
    return error;
  }

  function refusal(error: unknown, request: CallRequest): unknown {
    if (error instanceof TokenRefused) {
      log.debug("a token was refused", { method: methodPath(request), reason: error.problem, why: error.message });
      const isExpired = error.problem === "TOKEN_EXPIRED";
      return notAuthenticated(error.problem, isExpired ? "the token has expired" : "the token is not valid");
    }
    if (error instanceof KeysUnavailable) {
      return unavailable({ message: "tokens cannot be checked at the moment", reason: "KEYS_UNAVAILABLE", domain });
    }
    log.error("a token could not be checked", { method: methodPath(request), error: thrownText(error) });
    return notAuthenticated("TOKEN_INVALID", "the token is not valid");
  }

  /** `rule` is undefined where the caller is let in whatever its token says. */
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

  /** Undefined where no token is needed: the method is public, or the caller is known otherwise. */
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
    // A workload may send the token of the user it calls for, so a token that is sent must be valid.
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
  // Ending a stream that neither side has ended is more than a hook may do.
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

/** RFC 9110 §11.1: the scheme's case does not matter. */
function bearerOf(header: string | null): string | undefined {
  if (header === null || header.slice(0, 7).toLowerCase() !== "bearer ") return undefined;
  return header.slice(7);
}

function createVerifier(settings: AuthSettings, log: Log): TokenVerifier {
  const { keys, jwks, clock } = settings;
  if (keys.length === 0 && jwks === undefined) {
    throw new TypeError(`${where}: expected keys or jwks; without them no token could be verified`);
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

/** A text, or texts, none of them empty. */
function isNameOrNames(value: unknown): boolean {
  const all: readonly unknown[] = Array.isArray(value) ? value : [value];
  return all.length > 0 && all.every((one) => typeof one === "string" && one !== "");
}
