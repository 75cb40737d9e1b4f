import { createCipheriv, createHash, randomBytes, scryptSync } from "node:crypto";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

// restic's design document, "Keys, Encryption and MAC": https://restic.readthedocs.io/en/stable/100_references.html

/** A file of a repository's folder `keys`: the master key, encrypted by one that is derived from the password. */
interface KeyFile {
  readonly N: number;
  readonly r: number;
  readonly p: number;
  readonly salt: string;
  readonly data: string;
}

const [encryptionBytes, macBytes, nonceBytes] = [32, 32, 16];

/**
 * Replaces the key of a repository by one of the same password that is derived at once. restic chooses half a second for it, at each start, against
 * those who guess passwords: a test starts restic thousands of times. Everything else in the repository stays as it is.
 */
export function deriveQuickly(repository: string, password: string): void {
  const folder = join(repository, "keys");
  for (const name of readdirSync(folder)) {
    const slow = JSON.parse(readFileSync(join(folder, name), "utf8")) as KeyFile;
    const sealed = Buffer.from(slow.data, "base64");
    const nonce = sealed.subarray(0, nonceBytes);
    const master = transform(deriveKeys(slow, password).encryption, nonce, sealed.subarray(nonceBytes, -nonceBytes));
    const quick = { ...slow, N: 2, r: 1, p: 1 };
    const text = JSON.stringify({ ...quick, data: seal(master, deriveKeys(quick, password)).toString("base64") });
    // Files are named after their content.
    writeFileSync(join(folder, createHash("sha256").update(text).digest("hex")), text, { mode: 0o400 });
    rmSync(join(folder, name));
  }
}

interface DerivedKeys {
  readonly encryption: Buffer;
  /** Half of it is AES's, half is Poly1305's. */
  readonly mac: Buffer;
}

function deriveKeys({ N, r, p, salt }: KeyFile, password: string): DerivedKeys {
  const bytes = scryptSync(password, Buffer.from(salt, "base64"), encryptionBytes + macBytes, {
    N,
    r,
    p,
    maxmem: 256 * N * r + 2 ** 20,
  });
  return { encryption: bytes.subarray(0, encryptionBytes), mac: bytes.subarray(encryptionBytes) };
}

function seal(plain: Buffer, { encryption, mac }: DerivedKeys): Buffer {
  const nonce = randomBytes(nonceBytes);
  const ciphertext = transform(encryption, nonce, plain);
  const [aesKey, polyKey] = [mac.subarray(0, 16), mac.subarray(16)];
  const cipher = createCipheriv("aes-128-ecb", aesKey, null).setAutoPadding(false);
  return Buffer.concat([nonce, ciphertext, poly1305(ciphertext, polyKey, cipher.update(nonce))]);
}

/** AES-256-CTR, which encrypts and decrypts alike. */
function transform(key: Buffer, nonce: Buffer, bytes: Buffer): Buffer {
  return createCipheriv("aes-256-ctr", key, nonce).update(bytes);
}

/** RFC 8439 §2.5. */
function poly1305(message: Buffer, r: Buffer, s: Buffer): Buffer {
  const prime = 2n ** 130n - 5n;
  const factor = fromLittleEndian(r) & 0x0ffffffc0ffffffc0ffffffc0fffffffn;
  let sum = 0n;
  for (let at = 0; at < message.length; at += 16) {
    const block = Buffer.concat([message.subarray(at, at + 16), Buffer.from([1])]);
    sum = ((sum + fromLittleEndian(block)) * factor) % prime;
  }
  const tag = (sum + fromLittleEndian(s)) % 2n ** 128n;
  return Buffer.from(tag.toString(16).padStart(32, "0"), "hex").reverse();
}

function fromLittleEndian(bytes: Buffer): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);
}
