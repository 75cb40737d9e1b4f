import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * Has `build` fill the folder at `path`, unless it is there. Processes that build at the same time each build, and the first one to finish
 * wins.
 */
export function buildFolder(path: string, build: (folder: string) => void): string {
  if (existsSync(path)) return path;
  mkdirSync(dirname(path), { recursive: true });
  const folder = mkdtempSync(join(dirname(path), "building-"));
  try {
    build(folder);
    renameSync(folder, path);
  } catch (error) {
    // Another process was faster: a folder that is not empty cannot be replaced.
    if (!existsSync(path)) throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return path;
}
