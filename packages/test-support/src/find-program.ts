import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** The folder of the programs that `.ci/run` builds. */
const builtPrograms = join(import.meta.dirname, "../../../.cache/bin");

/** Finds a program in `folders`, .cache/bin or PATH, in this order. Undefined if it is in none of them. */
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
