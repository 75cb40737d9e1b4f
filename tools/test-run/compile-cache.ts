import { readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";

export interface CompileCacheOptions {
  /** Git ignores it by default. */
  readonly folder?: string;
  /** A whole run creates about a third of the default. Entries for files in temporary folders are never read again. */
  readonly maxEntries?: number;
}

/**
 * Returns the folder of Node's compile cache. It saves the next process from stripping types and compiling, about half of the
 * CPU time of a typical test file. Node replaces the entry of a changed file. Entries of deleted files stay, so a folder that
 * has grown too large is emptied. A folder in the environment variable is used as it is.
 */
export function openCompileCache(
  named: string | undefined,
  {
    folder = join(dirname(dirname(import.meta.dirname)), ".cache", "compiled"),
    maxEntries = 20_000,
  }: CompileCacheOptions = {},
): string {
  if (named !== undefined && named !== "") return named;
  if (countEntries(folder) > maxEntries) rmSync(folder, { recursive: true, force: true });
  return folder;
}

function countEntries(folder: string): number {
  try {
    return readdirSync(folder, { recursive: true }).length;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return 0;
    throw error;
  }
}
