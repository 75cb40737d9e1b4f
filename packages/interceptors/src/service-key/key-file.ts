import { text } from "../call/options.ts";
import type { ServiceKeyEntry } from "./key-ring.ts";

/** A file as the source of keys. */
export const keyFileOptions = {
  /** Its path. */
  file: text("a path").required(),
};

/**
 * Reads a file of a name and a key in each line, with spaces between. Empty lines, and lines that begin with `#`, are for people.
 *
 * @throws TypeError that names the line, and does not show it: it may be a key
 */
export function parseKeyFile(where: string, content: string): ServiceKeyEntry[] {
  const entries: ServiceKeyEntry[] = [];
  for (const [at, line] of content.split("\n").entries()) {
    const trimmed = line.trim();
    if (trimmed === "" || trimmed.startsWith("#")) continue;
    const [name = "", key, ...rest] = trimmed.split(/\s+/);
    if (key === undefined || rest.length > 0) {
      throw new TypeError(`${where}: line ${at + 1} must be a name, a space and a key`);
    }
    entries.push({ name, key });
  }
  return entries;
}
