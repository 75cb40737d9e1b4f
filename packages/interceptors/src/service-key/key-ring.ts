import { hash, timingSafeEqual } from "node:crypto";

/** A key, and the workload whose identity it proves. Several keys of one name are for the time of a rotation. */
export interface ServiceKeyEntry {
  /** The caller's name: letters, digits, `.`, `_` and `-`, at most 64. It may be logged, the key never is. */
  readonly name: string;
  /** From 32 to 512 printable ASCII characters without spaces, such as `openssl rand -hex 32` prints. */
  readonly key: string;
}

const nameForm = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const minKeyChars = 32;
const maxKeyChars = 512;
const maxKeys = 1000;

/** Keys by their digests, so that a dump of the memory shows none. */
export class KeyRing {
  private readonly entries: readonly { readonly name: string; readonly digest: Buffer }[];

  /** @throws TypeError or RangeError that names the entry, and never the key */
  constructor(where: string, entries: readonly ServiceKeyEntry[]) {
    if (!Array.isArray(entries) || entries.length === 0) {
      throw new TypeError(`${where}: expected at least one key; without keys no call could be let in`);
    }
    if (entries.length > maxKeys)
      throw new RangeError(`${where}: ${entries.length} keys; at most ${maxKeys} can be compared`);
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

  /** The name of a key; undefined for an unknown one. Takes the same time for every key of one length. */
  find(presented: string): string | undefined {
    if (presented.length > maxKeyChars) return undefined;
    const digest = digestOf(presented);
    let found: string | undefined;
    // To the end in any case: where it stops would show which keys there are.
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
