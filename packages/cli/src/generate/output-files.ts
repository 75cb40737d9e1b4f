import { mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** What generated files are to what is on the disk. Paths are absolute. */
export interface OutputChanges {
  readonly missing: readonly string[];
  readonly different: readonly string[];
  /** In an output folder, and not generated. */
  readonly extra: readonly string[];
}

/**
 * Compares generated files with what is there.
 *
 * @param cleanFolders whose other files count as extra
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

/** Writes what has changed, and nothing else, so that programs that watch the files see only that. */
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
    // It holds something, or is gone already.
  }
}
