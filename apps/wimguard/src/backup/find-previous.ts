import { readIdentity } from "../archive/archive-identity.ts";
import { manifestPathOf } from "../archive/archive-paths.ts";
import type { ArchiveStores } from "../archive/archive-stores.ts";
import type { StoredBackup } from "../catalog/backup-store.ts";

/**
 * Finds the newest backup of the same source, engine and compression that can be reused: a tar archive that is still at its destination, by
 * its inode, or a snapshot, whose manifest has digests. Undefined if there is none.
 */
export async function findPrevious(stores: ArchiveStores, backup: StoredBackup): Promise<StoredBackup | undefined> {
  if (backup.engine === "wim") return undefined;
  const found = stores.backups.newestLike(backup);
  if (backup.engine === "restic") return found;
  if (found === undefined || stores.backups.archiveAt(found.destination) !== found.archiveId) return undefined;
  const { device, inode, mtimeNs, storedBytes } = found.archive;
  const identity = await readIdentity(found.destination).catch(() => undefined);
  const isThere =
    identity !== undefined &&
    identity.device === device &&
    identity.inode === inode &&
    identity.mtimeNs === mtimeNs &&
    identity.storedBytes === storedBytes;
  return isThere ? found : undefined;
}

/** Returns the parts of the previous backup that an engine needs. */
export function toPrevious({ uuid, destination, archive }: StoredBackup, manifestFolder: string) {
  return { archivePath: destination, manifestPath: manifestPathOf(manifestFolder, uuid), sha256: archive.sha256 };
}
