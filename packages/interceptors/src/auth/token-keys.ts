import { createPublicKey, createSecretKey, type JsonWebKey, KeyObject } from "node:crypto";
import { refuseUnknownOptions } from "@tercel/grpc/internal";

/** Signatures that can be checked. `none` is not among them and cannot be added. */
export const tokenAlgorithms = [
  "HS256",
  "HS384",
  "HS512",
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

export type TokenAlgorithm = (typeof tokenAlgorithms)[number];

/** A key that tokens are signed with, and the one algorithm it is for. */
export interface TokenKey {
  /** The `kid` that tokens name it by. Default: none; then it has to be the only key of its algorithm. */
  readonly id?: string;
  readonly algorithm: TokenAlgorithm;
  /** For HS256, HS384 and HS512: at least 32 bytes of randomness. */
  readonly secret?: Uint8Array | KeyObject;
  /** For the others: the public key as PEM, JWK or KeyObject. RSA from 2048 bits on. */
  readonly publicKey?: string | JsonWebKey | KeyObject;
}

/** RFC 8725 §3.5, RFC 7518 §3.2: shorter ones can be found by trying. */
const minSecretBytes = 32;
/** RFC 7518 §3.3. */
const minModulusBits = 2048;

const curves: Readonly<Record<string, string>> = { ES256: "prime256v1", ES384: "secp384r1", ES512: "secp521r1" };

/** The fixed table of RFC 8725 §3.1: the token says which key, and the key says which algorithm. */
export class TokenKeys {
  private readonly byId = new Map<string, { algorithm: string; key: KeyObject }>();
  private readonly withoutId = new Map<string, KeyObject>();

  /** @throws TypeError or RangeError that says which key is wrong, and shows none */
  constructor(where: string, keys: readonly TokenKey[]) {
    keys.forEach((one, at) => {
      this.add(`${where}: keys[${at}]`, one);
    });
  }

  /** Undefined when no key has this id and is for this algorithm. */
  find(algorithm: string, id: string | undefined): KeyObject | undefined {
    if (id === undefined) return this.withoutId.get(algorithm);
    const found = this.byId.get(id);
    return found?.algorithm === algorithm ? found.key : undefined;
  }

  private add(where: string, one: TokenKey): void {
    refuseUnknownOptions(where, one, ["id", "algorithm", "secret", "publicKey"]);
    const key = toKeyObject(where, one);
    const { id, algorithm } = one;
    if (id === undefined ? this.withoutId.has(algorithm) : this.byId.has(id)) {
      throw new TypeError(
        `${where}: there is another key ${id === undefined ? `for ${algorithm} without id` : `"${id}"`}`,
      );
    }
    if (id === undefined) this.withoutId.set(algorithm, key);
    else this.byId.set(id, { algorithm, key });
  }
}

export function checkAlgorithm(where: string, algorithm: unknown): void {
  if ((tokenAlgorithms as readonly unknown[]).includes(algorithm)) return;
  throw new TypeError(`${where} is ${JSON.stringify(algorithm)}; it has to be one of ${tokenAlgorithms.join(", ")}`);
}

function toKeyObject(where: string, { algorithm, secret, publicKey }: TokenKey): KeyObject {
  checkAlgorithm(`${where}: algorithm`, algorithm);
  const isSecret = algorithm.startsWith("HS");
  if ((secret !== undefined) !== isSecret || (publicKey !== undefined) === isSecret) {
    throw new TypeError(`${where}: ${algorithm} takes ${isSecret ? "a secret" : "a publicKey"} and nothing else`);
  }
  return secret === undefined
    ? toPublicKey(where, algorithm, publicKey as string | JsonWebKey | KeyObject)
    : toSecret(where, secret);
}

function toSecret(where: string, secret: Uint8Array | KeyObject): KeyObject {
  if (!(secret instanceof Uint8Array) && !(secret instanceof KeyObject && secret.type === "secret")) {
    throw new TypeError(`${where}: secret has to be a Uint8Array or a secret KeyObject`);
  }
  const bytes = secret instanceof Uint8Array ? secret : secret.export();
  if (bytes.length < minSecretBytes) {
    throw new RangeError(`${where}: secret has ${bytes.length} bytes; it needs at least ${minSecretBytes}`);
  }
  // A public key that is taken for a secret lets everybody sign (CVE-2015-9235 and its kin).
  if (Buffer.from(bytes.subarray(0, 64)).toString("latin1").trimStart().startsWith("-----BEGIN")) {
    throw new TypeError(`${where}: secret is a PEM file, which is no secret of an HMAC`);
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
    throw new TypeError(`${where}: publicKey can be read neither as PEM nor as JWK`);
  }
}
