import { Buffer } from "node:buffer";
import { fail } from "../failure/failure.ts";
import type { ManifestEntry } from "../manifest/manifest-entry.ts";

/** Which members of an archive are restored, and under which name. */
export interface RestoreSelection {
  /** The name to restore a path under; undefined for one that is not selected. */
  nameOf(path: Buffer, isFolder: boolean): Buffer | undefined;
  /** What a hard link to this path has to repeat. */
  targetOf(path: Buffer): Buffer;
}

export const everything: RestoreSelection = { nameOf: (path) => path, targetOf: (path) => path };

/**
 * Selects paths with what is inside them and the folders above them. A selected hard link whose first name is not selected takes that
 * member's content under its own name.
 *
 * @throws FailureError PATH_NOT_IN_ARCHIVE that names a path
 */
export async function selectPaths(
  paths: readonly Buffer[],
  entries: AsyncIterable<ManifestEntry>,
): Promise<RestoreSelection> {
  if (paths.some((path) => path.length === 0)) return everything;
  const selected = paths.map((path) => path.toString("latin1"));
  const above = new Set(selected.flatMap(foldersAbove));
  const names = new Set(selected);
  const isInside = (text: string): boolean => names.has(text) || foldersAbove(text).some((folder) => names.has(folder));
  const missing = new Set(selected);
  /** First names of links that are not selected themselves, with the name that takes their place. */
  const renamed = new Map<string, Buffer>();
  for await (const { path, kind, target } of entries) {
    const text = path.toString("latin1");
    missing.delete(text);
    if (kind !== "hardlink" || target === undefined || !isInside(text)) continue;
    const first = target.toString("latin1");
    if (!isInside(first) && !renamed.has(first)) renamed.set(first, path);
  }
  for (const text of missing) {
    const path = Buffer.from(text, "latin1").toString();
    fail({ reason: "PATH_NOT_IN_ARCHIVE", path, message: `${JSON.stringify(path)} is not in the backup` });
  }
  return {
    nameOf(path, isFolder) {
      const text = path.toString("latin1");
      if (isInside(text) || (isFolder && (text === "" || above.has(text)))) return path;
      return renamed.get(text);
    },
    targetOf: (path) => renamed.get(path.toString("latin1")) ?? path,
  };
}

/** Whether a path is one of those selected, or inside one; an empty list selects everything. */
export function isSelected(paths: readonly Buffer[], path: Buffer): boolean {
  if (paths.length === 0) return true;
  const text = path.toString("latin1");
  return paths.some((selected) => {
    const one = selected.toString("latin1");
    return one === "" || text === one || text.startsWith(`${one}/`);
  });
}

function foldersAbove(path: string): string[] {
  const names = path.split("/");
  return names.slice(1).map((_, count) => names.slice(0, count + 1).join("/"));
}
