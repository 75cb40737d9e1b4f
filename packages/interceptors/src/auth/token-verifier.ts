import type { JWSHeaderParameters, JWTVerifyOptions } from "jose";
import { LRUCache } from "lru-cache";
import type { Claims } from "../call/claims.ts";
import type { JwksKeys } from "./jwks.ts";
import { loadJose } from "./load-jose.ts";
import { type TokenKeys, tokenAlgorithms } from "./token-keys.ts";

/** Why a token is not valid, in words that reveal nothing to the author of a forged one. */
export type TokenProblem = "TOKEN_INVALID" | "TOKEN_EXPIRED";

/** What a valid token says. */
export interface VerifiedToken {
  readonly claims: Claims;
  readonly scopes: ReadonlySet<string>;
  readonly roles: ReadonlySet<string>;
  /** Milliseconds since 1970, the tolerance included. */
  readonly expiresAtMs: number;
  /** It is verified again from here on. */
  readonly trustedUntilMs: number;
}

export class TokenRefused extends Error {
  override readonly name = "TokenRefused";
  readonly problem: TokenProblem;

  /** `message` is for the server's own log. */
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

/** Tokens come in a header; longer ones are attempts to waste the server's time. */
export const maxTokenBytes = 8192;

/** Three parts of base64url without padding (RFC 7515 §7.1). A fourth would be encrypted, an empty third unsigned. */
const compactForm = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/** Verifies tokens by RFC 8725, and remembers valid ones, so that a signature is verified once and not with every call. */
export class TokenVerifier {
  private readonly settings: VerifierSettings;
  private readonly joseOptions: JWTVerifyOptions;
  /** By the whole text of the header, so that a token that comes again costs one look-up. Undefined where none are remembered. */
  private readonly verified: LRUCache<string, VerifiedToken> | undefined;

  constructor(settings: VerifierSettings) {
    this.settings = settings;
    const { maxCachedTokens } = settings;
    // By size, and not by `max`: that would allocate the space of all tokens at once.
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

  /** What a header's token says if it was verified before and is still valid. */
  recall(header: string): VerifiedToken | undefined {
    const known = this.verified?.get(header);
    if (known === undefined || this.settings.wallClockMs() < known.trustedUntilMs) return known;
    this.verified?.delete(header);
    return undefined;
  }

  /** Checks a token, and remembers it by the header it came in. Rejects with TokenRefused or KeysUnavailable. */
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
      // A key of another kind than the token's algorithm needs, and the like.
      if (error instanceof TypeError) throw new TokenRefused("TOKEN_INVALID", error.message);
      throw error;
    }
  }

  /** `jwk`, `jku`, `x5u` and `x5c` are not looked at: a token must not bring the key it is checked with. */
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

/** Spare bits that are not zero would let one token be written in several ways. */
function isCanonical(part: string): boolean {
  return Buffer.from(part, "base64url").toString("base64url") === part;
}

function toMutable(given: string | readonly string[]): string | string[] {
  return typeof given === "string" ? given : [...given];
}
