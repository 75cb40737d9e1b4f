import { mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The differences between generated files and those on disk. Paths are absolute. */
export interface OutputChanges {
  readonly missing: readonly string[];
  readonly different: readonly string[];
  /** Files in an output folder that are not generated. */
  readonly extra: readonly string[];
}

/**
 * Compares generated files with those on disk.
 *
 * @param cleanFolders folders whose other files count as extra
 */
export function compareOutput(files: ReadonlyMap<string, string>, cleanFolders: readonly string[]): OutputChanges {
  const missing: string[] = [];
  const different: string[] = [];
  for (const [path, content] of files) {
    const found = readIfThere(path);
    if (found === undefined) missing.push(path);
    else if (found !== content) different.push(path);
  }
  const extra = cleanFolders.flatMap(filesBelow).filter((path) => !files.has(path));
  return { missing, different, extra };
}

/** Writes only changed files, so that programs that watch them are not notified of others. */
export function applyChanges(files: ReadonlyMap<string, string>, changes: OutputChanges): void {
  for (const path of [...changes.missing, ...changes.different]) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, files.get(path) ?? "");
  }
  for (const path of changes.extra) {
    rmSync(path);
    removeEmpty(dirname(path));
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function filesBelow(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
  } catch {
    return [];
  }
}

function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder);
    removeEmpty(dirname(folder));
  } catch {
    // The folder is not empty or no longer exists.
  }
}
