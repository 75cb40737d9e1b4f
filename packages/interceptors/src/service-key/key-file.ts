import type { ServiceKeyEntry } from "./key-ring.ts";

/**
 * Reads a file of a name and a key in each line, with spaces between. Empty lines, and lines that begin with `#`, are for people.
 *
 * @throws TypeError that names the line, and does not show it: it may be a key
 */
export function parseKeyFile(where: string, text: string): ServiceKeyEntry[] {
  const entries: ServiceKeyEntry[] = [];
  for (const [at, line] of text.split("\n").entries()) {
    const trimmed = line.trim();
    if (trimmed === "" || trimmed.startsWith("#")) continue;
    const [name = "", key, ...rest] = trimmed.split(/\s+/);
    if (key === undefined || rest.length > 0) {
      throw new TypeError(`${where}: line ${at + 1} has to be a name, a space and a key`);
    }
    entries.push({ name, key });
  }
  return entries;
}
