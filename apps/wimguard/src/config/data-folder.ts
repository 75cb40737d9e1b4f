import { chmodSync, mkdirSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { ConfigError } from "@tercel/service/config";
import { hasErrorCode } from "../failure/to-failure.ts";

const name = "wimbackup";

/** The folder of config and catalogue: `--dir`, or WIMGUARD_DIR, or where the platform keeps data. */
export function dataFolder(option: string | undefined, env: NodeJS.ProcessEnv = process.env): string {
  const chosen = option ?? env.WIMGUARD_DIR;
  if (chosen !== undefined && chosen !== "") return resolve(chosen);
  if (process.platform === "win32") return join(env.LOCALAPPDATA ?? join(homedir(), "AppData", "Local"), name);
  if (process.platform === "darwin") return join(homedir(), "Library", "Application Support", name);
  return join(env.XDG_DATA_HOME ?? join(homedir(), ".local", "share"), name);
}

export function configPath(folder: string): string {
  return join(folder, "config.yaml");
}

/**
 * Creates the folder for this user only, and takes wider permissions away: it holds a secret.
 *
 * @throws ConfigError when it cannot be created
 */
export function prepareFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    tighten(folder, 0o700);
  } catch (error) {
    throw new ConfigError([{ message: `the data folder ${folder} cannot be used: ${(error as Error).message}` }]);
  }
}

/** Takes permissions away that others have on a file or folder of ours. One that does not exist is left alone. */
export function tighten(path: string, mode: number): void {
  try {
    if ((statSync(path).mode & 0o777 & ~mode) !== 0) chmodSync(path, mode);
  } catch (error) {
    if (!hasErrorCode(error, "ENOENT")) throw error;
  }
}
