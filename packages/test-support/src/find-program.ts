import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Where `.ci/run` puts what it builds. */
const builtPrograms = join(import.meta.dirname, "../../../.cache/bin");

/** The path of a program that is installed, was built into .cache/bin, or is in one of the folders; undefined without one. */
export function findProgram(name: string, folders: readonly string[] = []): string | undefined {
  return [...folders, builtPrograms, ...(process.env.PATH ?? "").split(delimiter)]
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
