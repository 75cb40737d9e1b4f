import { createHash } from "node:crypto";

/** Each is kept by PostgreSQL for each connection. More texts than this are built at run time, and stay without a name. */
const maxNames = 500;
/** PostgreSQL cuts names at 63 bytes. */
const hashLength = 24;

/**
 * Names prepared statements, so that each connection parses and plans a text once. The name is a hash of the text: with a pooler that
 * mixes up connections, equal names must at least mean equal texts.
 */
export class StatementNames {
  readonly #names = new Map<string, string>();

  nameOf(text: string): string | undefined {
    const known = this.#names.get(text);
    if (known !== undefined || this.#names.size >= maxNames) return known;
    const name = `tercel_${createHash("sha256").update(text).digest("hex").slice(0, hashLength)}`;
    this.#names.set(text, name);
    return name;
  }
}
