import { globSync, statSync } from "node:fs";
import { join } from "node:path";

/** Returns what matches a pattern in a folder, without installed packages. */
export function filesIn(folder: string, pattern: string): string[] {
  return globSync(pattern, { cwd: folder, exclude: (name) => name === "node_modules" }).map((file) =>
    join(folder, file),
  );
}

/** Returns the newest modification time in milliseconds; 0 without files. */
export function newest(files: readonly string[]): number {
  return Math.max(0, ...files.map((file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0));
}
