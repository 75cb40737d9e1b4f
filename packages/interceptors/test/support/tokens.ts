import { createHmac, generateKeyPairSync, type KeyObject, sign } from "node:crypto";

/** The current time in the tests, in seconds since 1970. */
export const nowSeconds = 1_900_000_000;

export const issuer = "https://issuer.example";
export const audience = "shop";
export const secret = new Uint8Array(32).fill(7);

export const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
export const p256 = generateKeyPairSync("ec", { namedCurve: "P-256" });
export const ed25519 = generateKeyPairSync("ed25519");

/** The claims of a valid token. */
export const goodClaims = { iss: issuer, aud: audience, sub: "user-7", exp: nowSeconds + 600 };

export function part(value: unknown): string {
  return Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
}

/** Creates a token with a valid signature, whatever else is invalid in it. */
export function sealed(
  claims: unknown = goodClaims,
  header: Record<string, unknown> = {},
  key: Uint8Array | KeyObject = secret,
): string {
  const full = { alg: "HS256", kid: "hs", ...header };
  const signed = `${part(full)}.${part(claims)}`;
  return `${signed}.${signatureOf(signed, String(full.alg), key)}`;
}

function signatureOf(signed: string, algorithm: string, key: Uint8Array | KeyObject): string {
  const bytes = Buffer.from(signed);
  if (algorithm.startsWith("HS"))
    return createHmac(`sha${algorithm.slice(2)}`, key)
      .update(bytes)
      .digest("base64url");
  if (algorithm === "EdDSA") return sign(null, bytes, key as KeyObject).toString("base64url");
  const digest = `sha${algorithm.slice(2)}`;
  if (algorithm.startsWith("ES")) {
    return sign(digest, bytes, { key: key as KeyObject, dsaEncoding: "ieee-p1363" }).toString("base64url");
  }
  // RSASSA-PSS with a salt of the digest's length; `sign` uses RSASSA-PKCS1-v1_5 by default.
  if (!algorithm.startsWith("PS")) return sign(digest, bytes, key as KeyObject).toString("base64url");
  return sign(digest, bytes, {
    key: key as KeyObject,
    padding: 6,
    saltLength: Number(algorithm.slice(2)) / 8,
  }).toString("base64url");
}
