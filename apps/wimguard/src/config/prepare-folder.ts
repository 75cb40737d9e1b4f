import { chmodSync, mkdirSync, statSync } from "node:fs";
import { ConfigError } from "@tercel/service/config";
import { hasErrorCode } from "../failure/to-failure.ts";

/**
 * Creates the folder and restricts its permissions to this user, because it contains a secret.
 *
 * @throws ConfigError when it cannot be created
 */
export function prepareFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    tighten(folder, 0o700);
  } catch (error) {
    throw new ConfigError([{ message: `cannot use the data folder ${folder}: ${(error as Error).message}` }]);
  }
}

/** Removes other users' permissions on a file or folder; does nothing if it does not exist. */
export function tighten(path: string, mode: number): void {
  try {
    if ((statSync(path).mode & 0o777 & ~mode) !== 0) chmodSync(path, mode);
  } catch (error) {
    if (!hasErrorCode(error, "ENOENT")) throw error;
  }
}
