import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { usageFailure } from "../frame/failure.ts";

/**
 * The folder of migrations, as the kit takes it: its URL ends in a slash.
 *
 * @throws CommandFailure when there is no such folder
 */
export function migrationsFolder(folder: string, cwd: string): URL {
  const path = resolve(cwd, folder);
  if (!existsSync(path) || !statSync(path).isDirectory()) {
    throw usageFailure(`there is no folder ${folder} with migrations`, "tercel db new NAME makes the first one");
  }
  return pathToFileURL(join(path, "/"));
}
