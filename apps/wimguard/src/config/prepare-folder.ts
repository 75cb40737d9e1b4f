import { chmodSync, mkdirSync, statSync } from "node:fs";
import { ConfigError } from "@tercel/service/config";
import { hasErrorCode } from "../failure/to-failure.ts";

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
