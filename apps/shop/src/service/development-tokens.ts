import type { TokenKey } from "@tercel/interceptors/auth";
import { SignJWT } from "jose";
import type { ServiceSecret } from "./service-secret.ts";

/** The `iss` of tokens that the shop makes for itself. No one takes them in production. */
export const developmentIssuer = "tercel-shop-development";

/** The roles that a token may say; they are those of user.v1. */
export const tokenRoles = ["user", "moderator", "admin"] as const;
export type TokenRole = (typeof tokenRoles)[number];

export interface DevelopmentToken {
  /** Who calls: the id of a user, or any name. */
  readonly subject: string;
  readonly role: TokenRole;
  /** For whom it is; the settings `tokenAudience` and `orderTokenAudience`. */
  readonly audience: readonly string[];
  /** May be negative, for a token that has expired. */
  readonly lifeMinutes: number;
}

const keyId = "development";
const purpose = "development tokens";

/** What development tokens are verified with. */
export function developmentKey(secret: ServiceSecret): TokenKey {
  return { id: keyId, algorithm: "HS256", secret: secret.key(purpose) };
}

/** Makes a token for trying the services; in production an issuer makes them. */
export function signDevelopmentToken(secret: ServiceSecret, token: DevelopmentToken): Promise<string> {
  const nowSeconds = Math.floor(Date.now() / 1000);
  return new SignJWT({ roles: [token.role] })
    .setProtectedHeader({ alg: "HS256", kid: keyId, typ: "JWT" })
    .setIssuer(developmentIssuer)
    .setAudience([...token.audience])
    .setSubject(token.subject)
    .setIssuedAt(nowSeconds)
    .setExpirationTime(nowSeconds + token.lifeMinutes * 60)
    .sign(secret.key(purpose));
}
