import { createHmac, createPrivateKey, type KeyObject, sign } from "node:crypto";
import { usageFailure } from "../frame/failure.ts";

/** A key with the algorithm of RFC 7518 that it signs with. */
export interface SigningKey {
  readonly algorithm: string;
  sign(data: Buffer): Buffer;
}

/** RFC 7518 §3.2 and §3.3 */
const minSecretBytes = 32;
const minModulusBits = 2048;

const curves: Readonly<Record<string, { algorithm: string; hash: string }>> = {
  prime256v1: { algorithm: "ES256", hash: "sha256" },
  secp384r1: { algorithm: "ES384", hash: "sha384" },
  secp521r1: { algorithm: "ES512", hash: "sha512" },
};

/** Parses a key file. @throws CommandFailure that does not show the file's contents */
export function parseSigningKey(content: Buffer, file: string): SigningKey {
  const text = content.toString("utf8").trim();
  return text.startsWith("-----BEGIN") ? privateKey(text, file) : secretKey(text, file);
}

function secretKey(text: string, file: string): SigningKey {
  const secret = Buffer.from(text, "base64");
  if (secret.length < minSecretBytes) {
    throw usageFailure(
      `secret in ${file} is too short: ${secret.length} bytes; expected at least ${minSecretBytes}, as base64`,
    );
  }
  return sharedSecret(secret);
}

/** Creates a key for HS256. */
export function sharedSecret(secret: Uint8Array): SigningKey {
  return { algorithm: "HS256", sign: (data) => createHmac("sha256", secret).update(data).digest() };
}

function privateKey(pem: string, file: string): SigningKey {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (error) {
    throw usageFailure(`${file} is not a private key: ${(error as NodeJS.ErrnoException).code ?? "cannot be parsed"}`);
  }
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === "ed25519") return { algorithm: "EdDSA", sign: (data) => sign(null, data, key) };
  if (type === "rsa" && (details?.modulusLength ?? 0) >= minModulusBits) {
    return { algorithm: "RS256", sign: (data) => sign("sha256", data, key) };
  }
  const curve = type === "ec" ? curves[details?.namedCurve ?? ""] : undefined;
  if (curve === undefined) {
    throw usageFailure(
      `unsupported key type in ${file}`,
      `use RSA of at least ${minModulusBits} bits, Ed25519, or EC on P-256, P-384 or P-521`,
    );
  }
  // JWS concatenates the two numbers instead of using ASN.1 (RFC 7518 §3.4).
  return { algorithm: curve.algorithm, sign: (data) => sign(curve.hash, data, { key, dsaEncoding: "ieee-p1363" }) };
}
