import { createHash } from "node:crypto";

/** Limit on prepared statements, which PostgreSQL keeps per connection. More texts indicate dynamic SQL, which stays unnamed. */
const maxNames = 500;
/** PostgreSQL truncates names at 63 bytes. */
const hashLength = 24;

/**
 * Names prepared statements, so that each connection parses and plans a text once. The name is a hash of the text: with a pooler that switches
 * connections, equal names must mean equal texts.
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
