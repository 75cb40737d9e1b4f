import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

const name = "wimbackup";

/**
 * Where the platform keeps what can be made again. Everything in it may be removed at any time.
 *
 * @throws SystemError for a user without a home folder
 */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (process.platform === "win32") return join(env.LOCALAPPDATA ?? join(homedir(), "AppData", "Local"), name, "cache");
  if (process.platform === "darwin") return join(homedir(), "Library", "Caches", name);
  const { XDG_CACHE_HOME: chosen = "" } = env;
  // The XDG base directory specification has relative paths ignored.
  return join(isAbsolute(chosen) ? chosen : join(homedir(), ".cache"), name);
}
