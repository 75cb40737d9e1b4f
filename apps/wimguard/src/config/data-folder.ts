import { homedir } from "node:os";
import { join, resolve } from "node:path";

const name = "wimbackup";

/** Returns the folder of config and catalogue: `--dir`, else WIMGUARD_DIR, else the platform's data folder. */
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
