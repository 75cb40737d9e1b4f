import { text } from "../call/options.ts";
import type { ServiceKeyEntry } from "./key-ring.ts";

/** The options of a key source that is a file. */
export const keyFileOptions = {
  /** The path of the file. */
  file: text("a path").required(),
};

/**
 * Parses a key file: each line has a name and a key, separated by spaces. Empty lines and lines that start with `#` are ignored.
 *
 * @throws TypeError with the number of an invalid line, but not its text, which may be a key
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
