import { type Dirent, readdirSync } from "node:fs";
import { join } from "node:path";

const skippedFolders = new Set(["node_modules", "dist"]);
const sourceEnding = /\.[cm]?[jt]s$/;

/**
 * Returns the files below `folder`, as sorted paths from `root` with forward slashes; none for a folder that does not exist.
 * Skips node_modules, dist, and folders whose name begins with a dot.
 */
export function listFiles(root: string, folder = ""): string[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(join(root, folder), { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  const files: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) {
      if (!skippedFolders.has(entry.name) && !entry.name.startsWith(".")) files.push(...listFiles(root, path));
    } else if (entry.isFile()) {
      files.push(path);
    }
  }
  return files;
}

/** TypeScript or JavaScript, declarations included. */
export function isSourceFile(path: string): boolean {
  return sourceEnding.test(path);
}

/** `x.test.ts` next to its source, or anything in a `test` folder. */
export function isTestFile(path: string): boolean {
  return /\.test\.[cm]?[jt]s$/.test(path) || path.split("/").slice(0, -1).includes("test");
}
