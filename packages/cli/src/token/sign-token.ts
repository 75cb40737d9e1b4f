import type { SigningKey } from "./signing-key.ts";

/** The claims of a token. */
export interface TokenClaims {
  readonly keyId?: string;
  readonly subject: string;
  readonly role: readonly string[];
  readonly scope: readonly string[];
  readonly issuer: string;
  readonly audience: readonly string[];
  readonly minutes: number;
}

/** Signs a JSON Web Token (RFC 7519) that is valid from now on. */
export function signToken(
  { keyId, subject, role, scope, issuer, audience, minutes }: TokenClaims,
  key: SigningKey,
): string {
  const nowSeconds = Math.floor(Date.now() / 1000);
  const header = { alg: key.algorithm, typ: "JWT", ...(keyId !== undefined && { kid: keyId }) };
  const claims = {
    iss: issuer,
    sub: subject,
    ...(audience.length > 0 && { aud: audience }),
    ...(role.length > 0 && { roles: role }),
    ...(scope.length > 0 && { scope: scope.join(" ") }),
    iat: nowSeconds,
    exp: nowSeconds + minutes * 60,
  };
  const signed = `${encode(header)}.${encode(claims)}`;
  return `${signed}.${key.sign(Buffer.from(signed)).toString("base64url")}`;
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString("base64url");
}
