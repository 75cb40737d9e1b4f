import { enableCompileCache, getCompileCacheDir } from "node:module";
import { join } from "node:path";
import { cacheFolder } from "../config/cache-folder.ts";
import { openPrivateFolder } from "../config/private-folder.ts";

/**
 * Lets Node keep what it compiles from here on, so that the next start takes less time and memory. Node runs what it finds there, and its
 * default is a folder in /tmp that anyone may have made, so this takes one that only this user can write to, or none. `NODE_COMPILE_CACHE` names another
 * one, `NODE_DISABLE_COMPILE_CACHE=1` does without.
 */
export function keepCompiled(): void {
  if (getCompileCacheDir() !== undefined) return;
  try {
    const folder = openPrivateFolder(join(cacheFolder(), "compiled"));
    if (folder !== undefined) enableCompileCache(folder);
  } catch {
    // A user without a home folder, or a read-only one: it starts as it would the first time.
  }
}
