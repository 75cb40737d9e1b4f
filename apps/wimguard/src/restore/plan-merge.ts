import type { Buffer } from "node:buffer";
import { type BigIntStats, lstatSync, readlinkSync } from "node:fs";
import { hasErrorCode } from "../failure/to-failure.ts";
import type { EntryKind, ManifestEntry } from "../manifest/manifest-entry.ts";
import { walkInTurns } from "../source/walk-in-turns.ts";
import { placeOf } from "../source/walk-source.ts";
import { toNanoseconds } from "./compare-tree.ts";
import type { MergeOptions } from "./conflict.ts";

/** What a restore into a folder would do to its entries. */
export interface MergePlan {
  readonly create: number;
  readonly overwrite: number;
  readonly delete: number;
  readonly unchanged: number;
}

/**
 * Compares what would be restored with what a folder has.
 *
 * @param entries the last state of each path that would be restored
 * @param isWhole whether everything inside a path would be restored
 */
export async function planMerge(
  target: string,
  entries: AsyncIterable<ManifestEntry>,
  { conflict, deleteExtra }: MergeOptions,
  isWhole: (path: Buffer) => boolean,
): Promise<MergePlan> {
  const counts = { create: 0, overwrite: 0, delete: 0, unchanged: 0 };
  const known = new Set<string>();
  for await (const entry of entries) {
    if (deleteExtra) known.add(entry.path.toString("latin1"));
    const found = lookUp(target, entry.path);
    if (found === undefined) counts.create++;
    else if (entry.kind === "folder" && found.isDirectory()) counts.unchanged++;
    else if (conflict === "skip") counts.unchanged++;
    else if (conflict === "if_changed" && isSame(target, entry, found)) counts.unchanged++;
    else counts.overwrite++;
  }
  if (!deleteExtra) return counts;
  const walk = walkInTurns(target, { leaveOut: [], onUnreadable() {} }, new AbortController().signal);
  for await (const { path } of walk) {
    if (path.length > 0 && isWhole(path) && !known.has(path.toString("latin1"))) counts.delete++;
  }
  return counts;
}

function lookUp(target: string, path: Buffer): BigIntStats | undefined {
  try {
    return lstatSync(placeOf(target, path), { bigint: true });
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}

const typeOfKind: Readonly<Record<EntryKind, bigint>> = {
  file: 0o10n,
  hardlink: 0o10n,
  folder: 0o4n,
  link: 0o12n,
  fifo: 0o1n,
  "character-device": 0o2n,
  "block-device": 0o6n,
};

/** As the merge decides later, by what the manifest says. The size of a hard link is that of another entry. */
function isSame(target: string, entry: ManifestEntry, found: BigIntStats): boolean {
  if (found.mode >> 12n !== typeOfKind[entry.kind]) return false;
  if (entry.kind === "link") {
    return (
      entry.target !== undefined &&
      readlinkSync(placeOf(target, entry.path), { encoding: "buffer" }).equals(entry.target)
    );
  }
  if (Number(found.mode & 0o7777n) !== entry.mode || entry.mtime === undefined) return false;
  const hasSize = entry.kind === "hardlink" || Number(found.size) === entry.size;
  return hasSize && found.mtimeNs === toNanoseconds(entry.mtime);
}
