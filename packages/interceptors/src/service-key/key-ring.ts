import { hash, timingSafeEqual } from "node:crypto";

/** A key and the name of its workload. A workload has several keys during a rotation. */
export interface ServiceKeyEntry {
  /** The caller's name: up to 64 letters, digits, `.`, `_` and `-`. The name may be logged; the key never is. */
  readonly name: string;
  /** 32 to 512 printable ASCII characters without spaces, for example from `openssl rand -hex 32`. */
  readonly key: string;
}

const nameForm = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const minKeyChars = 32;
const maxKeyChars = 512;
const maxKeys = 1000;

/** Stores only the digests of the keys, so that a memory dump does not reveal them. */
export class KeyRing {
  private readonly entries: readonly { readonly name: string; readonly digest: Buffer }[];

  /** @throws TypeError or RangeError that names the entry, but never shows the key */
  constructor(where: string, entries: readonly ServiceKeyEntry[]) {
    if (!Array.isArray(entries) || entries.length === 0) {
      throw new TypeError(`${where}: expected at least one key; without keys, every call would be rejected`);
    }
    if (entries.length > maxKeys)
      throw new RangeError(`${where}: ${entries.length} keys; at most ${maxKeys} are allowed`);
    this.entries = entries.map((entry) => {
      checkName(where, entry?.name);
      checkKey(`${where}: the key of ${entry.name}`, entry.key);
      return { name: entry.name, digest: digestOf(entry.key) };
    });
    const owners = new Map<string, string>();
    for (const { name, digest } of this.entries) {
      const id = digest.toString("base64");
      const other = owners.get(id);
      if (other !== undefined) throw new TypeError(`${where}: ${other} and ${name} have the same key`);
      owners.set(id, name);
    }
  }

  /** Returns the name of a key, or undefined if it is unknown. Takes the same time for all keys of the same length. */
  find(presented: string): string | undefined {
    if (presented.length > maxKeyChars) return undefined;
    const digest = digestOf(presented);
    let found: string | undefined;
    // Always compares all keys: the time to the first match would leak information about the keys.
    for (const entry of this.entries) if (timingSafeEqual(entry.digest, digest)) found = entry.name;
    return found;
  }
}

function digestOf(key: string): Buffer {
  return hash("sha256", key, "buffer");
}

function checkName(where: string, name: unknown): void {
  if (typeof name === "string" && nameForm.test(name)) return;
  throw new TypeError(
    `${where}: ${JSON.stringify(name)} cannot name a key; expected 1 to 64 letters, digits, ".", "_" or "-"`,
  );
}

/** @throws TypeError that does not show the key */
export function checkKey(where: string, key: unknown): asserts key is string {
  const isFine =
    typeof key === "string" && /^[\x21-\x7e]+$/.test(key) && key.length >= minKeyChars && key.length <= maxKeyChars;
  if (isFine) return;
  throw new TypeError(
    `${where} must be ${minKeyChars} to ${maxKeyChars} printable characters without spaces, for example from "openssl rand -hex 32"`,
  );
}
