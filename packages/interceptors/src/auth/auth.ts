import type { DescService } from "@bufbuild/protobuf";
import type { ConnectError, Interceptor } from "@connectrpc/connect";
import { type Clock, type Log, systemClock } from "@tercel/grpc";
import { permissionDenied, unauthenticated, unavailable } from "@tercel/grpc/errors";
import { type CallRequest, createHookedInterceptor, readHeader } from "@tercel/grpc/hooks";
import { checkWholeNumber, refuseUnknownOptions, safeLog, thrownText } from "@tercel/grpc/internal";
import { callerKey } from "../call/caller.ts";
import { type Claims, claimsKey } from "../call/claims.ts";
import { callerDenied, methodDenied } from "../call/denials.ts";
import { exemptServices } from "../call/exempt-services.ts";
import { checkServices } from "../call/method-names.ts";
import { methodPath } from "../call/method-path.ts";
import { checkDefaultRule } from "../call/method-rules.ts";
import { type AuthRule, compileRules, type TokenRule } from "./auth-rules.ts";
import { endAtExpiry } from "./end-at-expiry.ts";
import { JwksKeys, type JwksOptions, KeysUnavailable } from "./jwks.ts";
import { type TokenKey, TokenKeys } from "./token-keys.ts";
import { TokenRefused, TokenVerifier, type VerifiedToken } from "./token-verifier.ts";

export interface AuthOptions {
  /** The services that are served: every method of theirs has to have a rule, here or in the proto. */
  services: readonly DescService[];
  /** Fixed keys. These or `jwks` have to be there; with both, the fixed ones are tried first. */
  keys?: readonly TokenKey[];
  /** Keys that the issuer publishes. */
  jwks?: JwksOptions;
  /** Whose tokens count: `iss` has to be this, or one of these. */
  issuer: string | readonly string[];
  /** Who this is: `aud` has to contain this, or one of these. Without it a token for another service would do here. */
  audience: string | readonly string[];
  /** What `typ` in the token's header has to be, for example `at+jwt` (RFC 9068). Default: it is not looked at. */
  type?: string;
  /** How far the issuer's clock may be from ours, for `exp` and `nbf`. Default 30 s, at most 60 s. */
  clockToleranceMs?: number;
  /** Who may call what, by `package.Service/Method` or `package.Service/*`. Goes before what the proto says. */
  rules?: Readonly<Record<string, AuthRule>>;
  /** What holds for methods without a rule. Default "deny": that such a method exists is an error at the start. */
  defaultRule?: "deny" | "authenticated";
  /** Lets anybody ask the reflection service. Default false. The health service needs no token in any case. */
  publicReflection?: boolean;
  /** Where a token says its scopes. Default: `scope` (RFC 8693) or `scp`, a list or a text with spaces. */
  scopesOf?: (claims: Claims) => readonly string[];
  /** Where a token says its roles. Default: `roles`, a list. */
  rolesOf?: (claims: Claims) => readonly string[];
  /** Verified tokens that are remembered, so that their signature is not checked with every call. Default 10,000; 0 for none. */
  maxCachedTokens?: number;
  /** A remembered token is verified again after this, so that a key which was withdrawn ends to count. Default 5 min. */
  maxTrustMs?: number;
  /** Streams fail with UNAUTHENTICATED when their token expires. Default false: a token is checked when a call begins. */
  endStreamsAtExpiry?: boolean;
  /** Stands as the domain in google.rpc.ErrorInfo. Default "tercel.auth". */
  domain?: string;
  /** Hears at level "debug" why tokens are refused, and as a warning that keys cannot be fetched. Default: standard error. */
  log?: Log;
  /** For tests. */
  clock?: Clock;
  /** For tests: milliseconds since 1970. Default `Date.now`. */
  wallClockMs?: () => number;
}

const optionNames: readonly (keyof AuthOptions)[] = [
  "services",
  "keys",
  "jwks",
  "issuer",
  "audience",
  "type",
  "clockToleranceMs",
  "rules",
  "defaultRule",
  "publicReflection",
  "scopesOf",
  "rolesOf",
  "maxCachedTokens",
  "maxTrustMs",
  "endStreamsAtExpiry",
  "domain",
  "log",
  "clock",
  "wallClockMs",
];

const where = "createAuth";

/**
 * A server interceptor that lets calls through whose `authorization: Bearer …` is a JWT that counts (RFC 8725), and whose caller
 * the method's rule allows. Handlers find the claims under `claimsKey`. Without a valid token a call fails with UNAUTHENTICATED,
 * with one that is not enough with PERMISSION_DENIED, and while there are no keys with UNAVAILABLE.
 *
 * @throws TypeError or RangeError for an option, a key or a rule that is wrong, and for methods without a rule
 */
export function createAuth(options: AuthOptions): Interceptor {
  refuseUnknownOptions(where, options, optionNames);
  const { clock = systemClock, wallClockMs = Date.now, domain = "tercel.auth" } = options;
  const log = safeLog(options.log);
  const { endStreamsAtExpiry = false } = options;
  const verifier = createVerifier(options, log, clock, wallClockMs);
  const ruleOf = compileRules(where, {
    services: checkServices(where, options.services),
    rules: options.rules ?? {},
    defaultRule: checkDefaultRule(where, options.defaultRule),
    exempt: exemptServices(options.publicReflection),
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

  /** Undefined where no token is needed: the method is for everybody, or the caller is known otherwise. */
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
        ? unauthenticated({ message: "only known programs may call this method", reason: "CALLER_UNKNOWN", domain })
        : notAuthenticated("TOKEN_MISSING", "the call carries no bearer token");
    }
    // A program may bring the token of the user it calls for, so one that is there has to be good.
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

function createVerifier(options: AuthOptions, log: Log, clock: Clock, wallClockMs: () => number): TokenVerifier {
  const { keys = [], jwks, type } = options;
  if (keys.length === 0 && jwks === undefined) {
    throw new TypeError(`${where}: without keys or jwks no token could be checked`);
  }
  if (type !== undefined && (typeof type !== "string" || type === ""))
    throw new TypeError(`${where}: type has to be text`);
  checkWholeNumber(where, "clockToleranceMs", options.clockToleranceMs, 0, 60_000);
  checkWholeNumber(where, "maxCachedTokens", options.maxCachedTokens, 0, 10_000_000);
  checkWholeNumber(where, "maxTrustMs", options.maxTrustMs, 0, Number.MAX_SAFE_INTEGER);
  return new TokenVerifier({
    keys: keys.length === 0 ? undefined : new TokenKeys(where, keys),
    jwks: jwks === undefined ? undefined : new JwksKeys(`${where}: jwks`, jwks, clock, log),
    issuer: checkedNames("issuer", options.issuer),
    audience: checkedNames("audience", options.audience),
    type,
    clockToleranceMs: options.clockToleranceMs ?? 30_000,
    maxCachedTokens: options.maxCachedTokens ?? 10_000,
    maxTrustMs: options.maxTrustMs ?? 300_000,
    rolesOf: options.rolesOf ?? ((claims) => toNames(claims.roles)),
    scopesOf: options.scopesOf ?? ((claims) => toNames(claims.scope ?? claims.scp, " ")),
    wallClockMs,
  });
}

function toNames(claim: unknown, separator?: string): readonly string[] {
  if (Array.isArray(claim)) return claim.filter((name) => typeof name === "string");
  return typeof claim === "string" && separator !== undefined ? claim.split(separator) : [];
}

function checkedNames(name: string, given: string | readonly string[]): string | readonly string[] {
  const all = typeof given === "string" ? [given] : given;
  const isFine = Array.isArray(all) && all.length > 0 && all.every((one) => typeof one === "string" && one !== "");
  if (!isFine) throw new TypeError(`${where}: ${name} has to be a text or a list of texts, none of them empty`);
  return given;
}
