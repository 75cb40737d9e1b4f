import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { StoredBackup } from "../catalog/backup-store.ts";
import { fail } from "../failure/failure.ts";
import { hasErrorCode } from "../failure/to-failure.ts";
import { isSameArchive } from "./archive-identity.ts";
import { manifestPathOf } from "./archive-paths.ts";
import type { ArchiveStores } from "./archive-stores.ts";

/**
 * Deletes a backup: its archive, its manifest, its record. A crash on the way is finished at the next start.
 *
 * @throws FailureError ARCHIVE_REPLACED when the file is not the archive that was written, DESTINATION_FOLDER_MISSING when its folder is
 * not there; nothing was deleted
 */
export async function deleteBackup(stores: ArchiveStores, backup: StoredBackup): Promise<void> {
  const { destination, uuid } = backup;
  // One that is in the middle of being deleted was refused by the disk before.
  if (backup.state === "completed" || backup.state === "deleting") {
    const presence = await findArchive(stores, backup);
    if (presence === "unreachable") {
      const message = `the folder of ${destination} is not there: mount it, then delete the backup`;
      fail({ reason: "DESTINATION_FOLDER_MISSING", path: destination, uuid, message });
    }
    if (presence === "other") {
      const message = `${destination} is not the archive that this backup wrote: move it away, then delete the backup`;
      fail({ reason: "ARCHIVE_REPLACED", path: destination, uuid, message });
    }
    stores.backups.change(uuid, { state: "deleting" });
    await finishDelete(stores, backup, presence);
  } else {
    stores.backups.change(uuid, { state: "deleting" });
    await finishDelete(stores, backup, "gone");
  }
}

/** What a destination has: the archive, another file, nothing, or no folder. */
export type ArchivePresence = "archive" | "other" | "gone" | "unreachable";

export async function findArchive(stores: ArchiveStores, backup: StoredBackup): Promise<ArchivePresence> {
  // Another backup has taken the name since. Its archive may be the same to the byte, and is not ours to delete.
  if (stores.backups.lastWriterOf(backup.destination) !== backup.uuid) return "gone";
  const { destination, archive } = backup;
  try {
    return (await isSameArchive(destination, archive, (path) => stores.hash(path))) ? "archive" : "other";
  } catch (error) {
    if (!hasErrorCode(error, "ENOENT", "ENOTDIR")) throw error;
  }
  const folder = await stat(dirname(destination)).catch((error) => {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  });
  return folder?.isDirectory() === true ? "gone" : "unreachable";
}

/** After the commit of `deleting`: nothing here can be undone any more. */
export async function finishDelete(
  stores: ArchiveStores,
  backup: StoredBackup,
  presence: ArchivePresence,
): Promise<void> {
  const { files, backups, manifestFolder } = stores;
  const { uuid, destination } = backup;
  if (presence === "archive") {
    await files.unlink(destination);
    await files.syncFolder(dirname(destination));
  }
  await files.unlink(manifestPathOf(manifestFolder, uuid));
  await files.syncFolder(manifestFolder);
  backups.remove(uuid);
}
