import { readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";

export interface CompileCacheOptions {
  /** Git ignores it by default. */
  readonly folder?: string;
  /** A whole run leaves about a third of the default; what it compiled in temporary folders is never read again. */
  readonly maxEntries?: number;
}

/**
 * The folder in which Node keeps what it made of each source file, so that the next process need not strip types and compile
 * again: about half the processor time of a typical test file. Node replaces the entry of a file that changed; entries of
 * files that are gone stay, so a folder that has grown too large is emptied. A folder that the environment names is
 * taken as it is.
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
