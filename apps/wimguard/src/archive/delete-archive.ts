import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { StoredBackup } from "../catalog/backup-store.ts";
import { isRepository } from "../engine/restic/repository/repository-location.ts";
import { FailureError, fail } from "../failure/failure.ts";
import { hasErrorCode } from "../failure/to-failure.ts";
import { type ArchivePresence, isSameArchive, readIdentity } from "./archive-identity.ts";
import { manifestPathOf, partPathOf } from "./archive-paths.ts";
import type { ArchiveStores } from "./archive-stores.ts";
import { findSnapshot } from "./find-snapshot.ts";

/**
 * Deletes the archive, the manifest and the record of a backup. After a crash, the next start finishes it.
 *
 * @throws FailureError ARCHIVE_REPLACED when the file is not the archive that was written, DESTINATION_FOLDER_MISSING when its folder is
 * not there; nothing was deleted
 */
export async function deleteBackup(stores: ArchiveStores, backup: StoredBackup): Promise<void> {
  const { destination, uuid } = backup;
  // A backup in state deleting failed on the disk before.
  if (backup.state === "completed" || backup.state === "deleting") {
    const presence = await findArchive(stores, backup);
    if (presence === "unreachable") {
      const message = `the folder of ${destination} does not exist: mount its disk, then delete the backup`;
      fail({ reason: "DESTINATION_FOLDER_MISSING", path: destination, uuid, message });
    }
    if (presence === "other") {
      const message = `${destination} is not the archive that this backup wrote: move it away, then delete the backup`;
      fail({ reason: "ARCHIVE_REPLACED", path: destination, uuid, message });
    }
    await beginDelete(stores, backup, presence);
    await finishDelete(stores, backup, presence);
  } else {
    stores.backups.change(uuid, { state: "deleting" });
    await finishDelete(stores, backup, "gone");
  }
}

/**
 * Records that the backup is being deleted. If the disk is full, the archive is removed first when that frees space: after a crash in between,
 * the record names a missing archive, and the next attempt deletes it.
 */
async function beginDelete(stores: ArchiveStores, backup: StoredBackup, presence: ArchivePresence): Promise<void> {
  const { backups, files, manifestFolder } = stores;
  const { uuid, destination, archive } = backup;
  try {
    backups.change(uuid, { state: "deleting" });
  } catch (error) {
    const isShared = archive.sha256 !== "" && backups.othersIn(backup).length > 0;
    const isFull = error instanceof FailureError && error.failure.reason === "NO_SPACE";
    if (!isFull || presence !== "archive" || isShared || isRepository(destination)) throw error;
    const [archiveFolder, catalogFolder] = [await stat(dirname(destination)), await stat(manifestFolder)];
    if (archiveFolder.dev !== catalogFolder.dev) throw error;
    await files.unlink(destination);
    await files.syncFolder(dirname(destination));
    backups.change(uuid, { state: "deleting" });
  }
}

export async function findArchive(stores: ArchiveStores, backup: StoredBackup): Promise<ArchivePresence> {
  if (isRepository(backup.destination)) return findSnapshot(backup);
  // Another archive has taken the name since. Even if it is identical, it must not be deleted.
  if (stores.backups.archiveAt(backup.destination) !== backup.archiveId) return "gone";
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

/** Finishes a delete after the commit of `deleting`. It cannot be undone, and can be repeated. */
export async function finishDelete(
  stores: ArchiveStores,
  backup: StoredBackup,
  presence: ArchivePresence,
): Promise<void> {
  const { files, backups } = stores;
  const { uuid, destination, archive } = backup;
  if (isRepository(destination)) {
    if (presence === "archive" && archive.sha256 !== "") await stores.repositories.forget(destination, archive.sha256);
    await removeRecord(stores, uuid);
    return;
  }
  const [other] = archive.sha256 === "" ? [] : backups.othersIn(backup);
  let isTakenOut = false;
  if (other !== undefined && presence !== "gone") {
    isTakenOut = await takeOut(stores, backup, other);
  } else if (presence === "archive") {
    await files.unlink(destination);
    await files.syncFolder(dirname(destination));
  }
  await removeRecord(stores, uuid, isTakenOut);
}

async function removeRecord(stores: ArchiveStores, uuid: string, isTakenOut = false): Promise<void> {
  const { files, backups, manifestFolder } = stores;
  await files.unlink(manifestPathOf(manifestFolder, uuid));
  await files.syncFolder(manifestFolder);
  const current = backups.get(uuid);
  if (isTakenOut && current !== undefined) backups.removeShared(current);
  else backups.remove(uuid);
}

/**
 * Removes a backup from a file that contains others: rewrites the file without it. Before the new file is renamed, the record has its
 * identity. Returns false, and changes nothing, if the file is neither the old nor the new one.
 */
async function takeOut(stores: ArchiveStores, backup: StoredBackup, other: StoredBackup): Promise<boolean> {
  const { files, backups, hash } = stores;
  const { uuid, destination, archive, image, engine } = backup;
  const part = partPathOf(destination, uuid);
  await files.unlink(part);
  if (archive.sha256 !== other.archive.sha256 && (await isSameArchive(destination, archive, hash))) return true;
  if (!(await isSameArchive(destination, other.archive, hash))) return false;
  try {
    await stores.withoutImage(engine, { archivePath: destination, image }, part);
    await files.syncFile(part);
    backups.change(uuid, { archive: { ...(await readIdentity(part)), sha256: await hash(part) } });
    await files.rename(part, destination);
  } catch (error) {
    await files.unlink(part);
    throw error;
  }
  await files.syncFolder(dirname(destination));
  return true;
}
