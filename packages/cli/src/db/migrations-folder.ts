import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { usageFailure } from "../frame/failure.ts";

/**
 * Returns the URL of the folder of migrations; it ends with a slash.
 *
 * @throws CommandFailure when the folder does not exist
 */
export function migrationsFolder(folder: string, cwd: string): URL {
  const path = resolve(cwd, folder);
  if (!existsSync(path) || !statSync(path).isDirectory()) {
    throw usageFailure(`migrations folder ${folder} does not exist`, "tercel db new NAME creates the first migration");
  }
  return pathToFileURL(join(path, "/"));
}
