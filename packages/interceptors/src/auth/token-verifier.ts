import type { JWSHeaderParameters, JWTVerifyOptions } from "jose";
import { LRUCache } from "lru-cache";
import type { Claims } from "../call/claims.ts";
import type { JwksKeys } from "./jwks.ts";
import { loadJose } from "./load-jose.ts";
import { type TokenKeys, tokenAlgorithms } from "./token-keys.ts";

/** Why a token is invalid, without details that would help to forge one. */
export type TokenProblem = "TOKEN_INVALID" | "TOKEN_EXPIRED";

/** The contents of a valid token. */
export interface VerifiedToken {
  readonly claims: Claims;
  readonly scopes: ReadonlySet<string>;
  readonly roles: ReadonlySet<string>;
  /** Milliseconds since 1970, including the clock tolerance. */
  readonly expiresAtMs: number;
  /** When the token must be verified again; milliseconds since 1970. */
  readonly trustedUntilMs: number;
}

export class TokenRefused extends Error {
  override readonly name = "TokenRefused";
  readonly problem: TokenProblem;

  /** @param message for the server's log only */
  constructor(problem: TokenProblem, message: string) {
    super(message);
    this.problem = problem;
  }
}

export interface VerifierSettings {
  readonly keys: TokenKeys | undefined;
  readonly jwks: JwksKeys | undefined;
  readonly issuer: string | readonly string[];
  readonly audience: string | readonly string[];
  readonly type: string | undefined;
  readonly clockToleranceMs: number;
  readonly maxCachedTokens: number;
  readonly maxTrustMs: number;
  readonly rolesOf: (claims: Claims) => readonly string[];
  readonly scopesOf: (claims: Claims) => readonly string[];
  readonly wallClockMs: () => number;
}

/** A limit for the token in the header, against attempts to waste the server's time. */
export const maxTokenBytes = 8192;

/** Three parts of base64url without padding (RFC 7515 §7.1). Encrypted tokens have more parts; unsigned ones have an empty third part. */
const compactForm = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/** Verifies tokens as in RFC 8725, and caches valid ones, so that a signature is not verified again for each call. */
export class TokenVerifier {
  private readonly settings: VerifierSettings;
  private readonly joseOptions: JWTVerifyOptions;
  /** The cache, by the whole header value, so that a known token costs one lookup. Undefined if the cache is disabled. */
  private readonly verified: LRUCache<string, VerifiedToken> | undefined;

  constructor(settings: VerifierSettings) {
    this.settings = settings;
    const { maxCachedTokens } = settings;
    // `maxSize`, because `max` would allocate the space for all tokens at once.
    this.verified =
      maxCachedTokens === 0 ? undefined : new LRUCache({ maxSize: maxCachedTokens, sizeCalculation: () => 1 });
    this.joseOptions = {
      algorithms: [...tokenAlgorithms],
      issuer: toMutable(settings.issuer),
      audience: toMutable(settings.audience),
      clockTolerance: settings.clockToleranceMs / 1000,
      requiredClaims: ["exp"],
      ...(settings.type !== undefined && { typ: settings.type }),
    };
  }

  /** Returns the cached token of a header value, if it is still valid. */
  recall(header: string): VerifiedToken | undefined {
    const known = this.verified?.get(header);
    if (known === undefined || this.settings.wallClockMs() < known.trustedUntilMs) return known;
    this.verified?.delete(header);
    return undefined;
  }

  /** Verifies a token, and caches it by its header value. Rejects with TokenRefused or KeysUnavailable. */
  async verify(header: string, token: string): Promise<VerifiedToken> {
    if (token.length > maxTokenBytes) throw new TokenRefused("TOKEN_INVALID", `the token has ${token.length} bytes`);
    if (!compactForm.test(token) || !token.split(".").every(isCanonical)) {
      throw new TokenRefused("TOKEN_INVALID", "the token is not in JWS compact form");
    }
    const nowMs = this.settings.wallClockMs();
    const claims = await this.claimsOf(token, nowMs);
    const expiresAtMs = claims.exp * 1000 + this.settings.clockToleranceMs;
    const verified: VerifiedToken = {
      claims: Object.freeze(claims),
      scopes: new Set(this.settings.scopesOf(claims)),
      roles: new Set(this.settings.rolesOf(claims)),
      expiresAtMs,
      trustedUntilMs: Math.min(expiresAtMs, nowMs + this.settings.maxTrustMs),
    };
    this.verified?.set(header, verified);
    return verified;
  }

  private async claimsOf(token: string, nowMs: number): Promise<Claims> {
    const { errors, jwtVerify } = await loadJose();
    try {
      const options = { ...this.joseOptions, currentDate: new Date(nowMs) };
      const { payload } = await jwtVerify(token, (header) => this.findKey(header), options);
      if (payload.sub !== undefined && typeof payload.sub !== "string") {
        throw new TokenRefused("TOKEN_INVALID", "sub is not a string");
      }
      if (!Number.isFinite(payload.exp)) throw new TokenRefused("TOKEN_INVALID", "exp is not a number");
      return payload as Claims;
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw new TokenRefused("TOKEN_EXPIRED", error.message);
      if (error instanceof errors.JOSEError) throw new TokenRefused("TOKEN_INVALID", `${error.code}: ${error.message}`);
      // For example a key that does not fit the token's algorithm.
      if (error instanceof TypeError) throw new TokenRefused("TOKEN_INVALID", error.message);
      throw error;
    }
  }

  /** Finds the key of a token. Ignores `jwk`, `jku`, `x5u` and `x5c`: a token must not supply its own key. */
  private async findKey(header: JWSHeaderParameters) {
    if (header.kid !== undefined && typeof header.kid !== "string") {
      throw new TokenRefused("TOKEN_INVALID", "kid is not a string");
    }
    const { keys, jwks } = this.settings;
    const key = keys?.find(header.alg ?? "", header.kid) ?? (await jwks?.find(header));
    if (key === undefined) throw new TokenRefused("TOKEN_INVALID", "no key has this id and algorithm");
    return key;
  }
}

/** Whether the unused bits of the base64url are zero. Otherwise a token would have several encodings. */
function isCanonical(part: string): boolean {
  return Buffer.from(part, "base64url").toString("base64url") === part;
}

function toMutable(given: string | readonly string[]): string | string[] {
  return typeof given === "string" ? given : [...given];
}
