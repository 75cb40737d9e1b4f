import type { Buffer } from "node:buffer";
import type { StoredBackup } from "../catalog/backup-store.ts";
import type { ManifestEntry } from "../manifest/manifest-entry.ts";
import { hasSameContent } from "./diff-snapshots.ts";
import { readResolvedEntries } from "./list-entries.ts";

/** A snapshot in which a path has another content than in the one before of the same source. */
export interface Version {
  readonly snapshot: StoredBackup;
  readonly entry: ManifestEntry;
}

/**
 * Finds the versions of a path, oldest first.
 *
 * @param snapshots oldest first
 * @param manifestOf the path of a snapshot's manifest
 */
export async function findVersions(
  snapshots: Iterable<StoredBackup>,
  path: Buffer,
  manifestOf: (snapshot: StoredBackup) => string,
): Promise<Version[]> {
  const versions: Version[] = [];
  /** The last state of the path by source. */
  const last = new Map<string, ManifestEntry>();
  for (const snapshot of snapshots) {
    const entry = await findEntry(manifestOf(snapshot), path);
    const before = last.get(snapshot.source);
    if (entry === undefined) {
      // What comes back later is a version again.
      last.delete(snapshot.source);
      continue;
    }
    last.set(snapshot.source, entry);
    if (before === undefined || !hasSameContent(before, entry)) versions.push({ snapshot, entry });
  }
  return versions;
}

async function findEntry(manifestPath: string, path: Buffer): Promise<ManifestEntry | undefined> {
  for await (const entry of readResolvedEntries(manifestPath)) if (entry.path.equals(path)) return entry;
  return undefined;
}
