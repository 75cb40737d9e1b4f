import { createPublicKey, createSecretKey, type JsonWebKey, KeyObject } from "node:crypto";
import { type OptionsOf, oneOf, own, readOptions, text } from "../call/options.ts";

/** Algorithms with a secret that issuer and server share. */
const secretAlgorithms = ["HS256", "HS384", "HS512"] as const;

/** Algorithms with a private key, whose signatures the public key verifies. */
export const publicAlgorithms = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
] as const;

/** All supported algorithms. `none` is not supported and cannot be enabled. */
export const tokenAlgorithms = [...secretAlgorithms, ...publicAlgorithms] as const;

export type TokenAlgorithm = (typeof tokenAlgorithms)[number];

export const tokenKeyOptions = {
  /** The `kid` of the key in tokens. Default: none; then it must be the only key without one for its algorithm. */
  id: text(),
  /** The algorithm of the key. Required. */
  algorithm: oneOf(...tokenAlgorithms).required(),
  /** For HS256, HS384 and HS512: at least 32 random bytes. */
  secret: own<Uint8Array | KeyObject>(
    "a Uint8Array or a secret KeyObject",
    (value) => value instanceof Uint8Array || (value instanceof KeyObject && value.type === "secret"),
  ),
  /** For all other algorithms: the public key as PEM, JWK or KeyObject. RSA keys must have at least 2048 bits. */
  publicKey: own<string | JsonWebKey | KeyObject>(
    "a public key as PEM, JWK or KeyObject",
    (value) => typeof value === "string" || (typeof value === "object" && value !== null),
  ),
};

/** A key for the verification of tokens. */
export type TokenKey = OptionsOf<typeof tokenKeyOptions>;

/** RFC 8725 §3.5, RFC 7518 §3.2: shorter secrets can be found by brute force. */
const minSecretBytes = 32;
/** RFC 7518 §3.3. */
const minModulusBits = 2048;

const curves: Readonly<Record<string, string>> = { ES256: "prime256v1", ES384: "secp384r1", ES512: "secp521r1" };

/** The keys with their algorithms. A token selects the key, and the key determines the algorithm (RFC 8725 §3.1). */
export class TokenKeys {
  private readonly byId = new Map<string, { algorithm: string; key: KeyObject }>();
  private readonly withoutId = new Map<string, KeyObject>();

  /** @throws TypeError or RangeError that names the invalid key, but does not show it */
  constructor(where: string, keys: readonly TokenKey[]) {
    keys.forEach((one, at) => {
      this.add(`${where}: keys[${at}]`, one);
    });
  }

  /** Returns the key with this id and algorithm; undefined without one. */
  find(algorithm: string, id: string | undefined): KeyObject | undefined {
    if (id === undefined) return this.withoutId.get(algorithm);
    const found = this.byId.get(id);
    return found?.algorithm === algorithm ? found.key : undefined;
  }

  private add(where: string, one: TokenKey): void {
    readOptions(where, tokenKeyOptions, one);
    const key = toKeyObject(where, one);
    const { id, algorithm } = one;
    if (id === undefined ? this.withoutId.has(algorithm) : this.byId.has(id)) {
      throw new TypeError(`${where}: duplicate key ${id === undefined ? `for ${algorithm} without id` : `"${id}"`}`);
    }
    if (id === undefined) this.withoutId.set(algorithm, key);
    else this.byId.set(id, { algorithm, key });
  }
}

function toKeyObject(where: string, { algorithm, secret, publicKey }: TokenKey): KeyObject {
  const isSecret = algorithm.startsWith("HS");
  if ((secret !== undefined) !== isSecret || (publicKey !== undefined) === isSecret) {
    throw new TypeError(`${where}: ${algorithm} takes ${isSecret ? "a secret" : "a publicKey"} and nothing else`);
  }
  return secret === undefined
    ? toPublicKey(where, algorithm, publicKey as string | JsonWebKey | KeyObject)
    : toSecret(where, secret);
}

function toSecret(where: string, secret: Uint8Array | KeyObject): KeyObject {
  const bytes = secret instanceof Uint8Array ? secret : secret.export();
  if (bytes.length < minSecretBytes) {
    throw new RangeError(`${where}: secret has ${bytes.length} bytes; it needs at least ${minSecretBytes}`);
  }
  // If the secret is a public key, anyone can sign (CVE-2015-9235).
  if (Buffer.from(bytes.subarray(0, 64)).toString("latin1").trimStart().startsWith("-----BEGIN")) {
    throw new TypeError(`${where}: secret is a PEM file; expected random bytes`);
  }
  return createSecretKey(bytes);
}

function toPublicKey(where: string, algorithm: TokenAlgorithm, given: string | JsonWebKey | KeyObject): KeyObject {
  const isPrivate =
    given instanceof KeyObject
      ? given.type !== "public"
      : typeof given === "string"
        ? given.includes("PRIVATE KEY")
        : "d" in given;
  if (isPrivate) throw new TypeError(`${where}: publicKey is a private key, which a verifier must not have`);
  const key = readPublicKey(where, given);
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (/^[RP]S/.test(algorithm)) {
    if (type !== "rsa") throw new TypeError(`${where}: ${algorithm} takes an RSA key, not ${type}`);
    const bits = details?.modulusLength ?? 0;
    if (bits < minModulusBits) {
      throw new RangeError(`${where}: the RSA key has ${bits} bits; it needs at least ${minModulusBits}`);
    }
  } else if (algorithm === "EdDSA") {
    if (type !== "ed25519") throw new TypeError(`${where}: EdDSA takes an Ed25519 key, not ${type}`);
  } else if (type !== "ec" || details?.namedCurve !== curves[algorithm]) {
    throw new TypeError(`${where}: ${algorithm} takes a key of the curve ${curves[algorithm]}`);
  }
  return key;
}

function readPublicKey(where: string, given: string | JsonWebKey | KeyObject): KeyObject {
  if (given instanceof KeyObject) return given;
  try {
    return createPublicKey(typeof given === "string" ? given : { key: given, format: "jwk" });
  } catch {
    throw new TypeError(`${where}: publicKey is neither PEM nor JWK`);
  }
}
