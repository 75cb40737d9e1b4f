import type { Buffer } from "node:buffer";
import { throwIfCancelled } from "../failure/failure.ts";
import type { ManifestEntry } from "../manifest/manifest-entry.ts";
import { isSelected } from "../restore/restore-selection.ts";
import { readResolvedEntries } from "./list-entries.ts";

/** One path that two snapshots do not have alike. */
export interface Difference {
  readonly change: "added" | "removed" | "content" | "metadata";
  readonly before?: ManifestEntry;
  readonly after?: ManifestEntry;
}

/**
 * Compares two snapshots by their manifests: what was added or changed in the order of the second one, then what it does not have any more.
 *
 * @param path compares what is inside of it only; empty for everything
 */
export async function* diffSnapshots(
  baseManifest: string,
  otherManifest: string,
  path: Buffer,
  signal: AbortSignal,
): AsyncGenerator<Difference> {
  const base = new Map<string, ManifestEntry>();
  for await (const entry of readResolvedEntries(baseManifest)) {
    throwIfCancelled(signal);
    if (isSelected([path], entry.path)) base.set(entry.path.toString("latin1"), entry);
  }
  for await (const after of readResolvedEntries(otherManifest)) {
    throwIfCancelled(signal);
    if (!isSelected([path], after.path)) continue;
    const key = after.path.toString("latin1");
    const before = base.get(key);
    base.delete(key);
    const change = before === undefined ? "added" : changeOf(before, after);
    if (change !== undefined) yield { change, after, ...(before !== undefined && { before }) };
  }
  for (const before of base.values()) yield { change: "removed", before };
}

function changeOf(before: ManifestEntry, after: ManifestEntry): "content" | "metadata" | undefined {
  if (!hasSameContent(before, after)) return "content";
  const isSame =
    before.mode === after.mode &&
    before.uid === after.uid &&
    before.gid === after.gid &&
    before.mtime === after.mtime &&
    before.kind === after.kind;
  return isSame ? undefined : "metadata";
}

/** A hard link is as much a file as the name that it repeats. Engines differ in their digests: then size and time have to do. */
export function hasSameContent(before: ManifestEntry, after: ManifestEntry): boolean {
  const [kind, otherKind] = [before, after].map((entry) => (entry.kind === "hardlink" ? "file" : entry.kind));
  if (kind !== otherKind || before.size !== after.size) return false;
  if (kind === "link") return before.target?.equals(after.target ?? before.path.subarray(0, 0)) === true;
  if (before.digest === undefined || after.digest === undefined) return kind !== "file" || before.mtime === after.mtime;
  if (before.digest.split(":")[0] !== after.digest.split(":")[0]) return before.mtime === after.mtime;
  return before.digest === after.digest;
}
