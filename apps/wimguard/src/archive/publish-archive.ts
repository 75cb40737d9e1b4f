import { dirname } from "node:path";
import type { BackupChange, StoredBackup } from "../catalog/backup-store.ts";
import { isRepository } from "../engine/restic/repository/repository-location.ts";
import { fail } from "../failure/failure.ts";
import { hasErrorCode } from "../failure/to-failure.ts";
import type { PerformedWrite } from "../thread/perform-write.ts";
import { isSameArchive } from "./archive-identity.ts";
import { manifestDraftPathOf, manifestPathOf } from "./archive-paths.ts";
import type { ArchiveStores } from "./archive-stores.ts";

/** Error codes of file systems without hard links: FAT, exFAT and some network file systems. */
const noLinkCodes = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK", "EINVAL"];

/**
 * Steps 5 to 9 of a backup: renames a written, synced and verified part, and completes the backup. After a crash at any moment the
 * destination is absent or whole; `recoverArchives` finds out which.
 *
 * @throws FailureError DESTINATION_EXISTS when the destination was created in the meantime; it is not touched
 */
export async function publishArchive(
  stores: ArchiveStores,
  { uuid, destination }: Pick<StoredBackup, "uuid" | "destination">,
  partPath: string,
  written: PerformedWrite,
  more: Pick<BackupChange, "warnings" | "envUuid">,
  base?: StoredBackup,
): Promise<void> {
  const { files, backups, manifestFolder } = stores;
  await files.rename(manifestDraftPathOf(manifestFolder, uuid), manifestPathOf(manifestFolder, uuid));
  await files.syncFolder(manifestFolder);
  const { sourceBytes: size, files: fileCount, image, root = "", ...archive } = written;
  const addedBytes = archive.storedBytes - (base?.archive.storedBytes ?? 0);
  backups.change(uuid, { ...more, state: "publishing", size, files: fileCount, image, root, addedBytes, archive });
  // A snapshot is already stored.
  if (!isRepository(destination)) {
    if (base === undefined) await placeArchive(stores, uuid, partPath, destination);
    else await replaceArchive(stores, base, partPath);
    await files.syncFolder(dirname(destination));
  }
  completeBackup(stores, { uuid, archiveId: base?.archiveId ?? uuid });
}

/** Makes the last commit of a backup, after its file was renamed. */
export function completeBackup(
  { backups, nowMs }: Pick<ArchiveStores, "backups" | "nowMs">,
  { uuid, archiveId }: Pick<StoredBackup, "uuid" | "archiveId">,
): void {
  const change: BackupChange = { state: "completed", part: null, hasReservation: false, endedAtMs: nowMs() };
  if (archiveId === uuid) backups.change(uuid, change);
  else backups.completeShared(uuid, change);
}

/**
 * Replaces a file by a copy with one more backup.
 *
 * @throws FailureError ARCHIVE_REPLACED when the file was removed or replaced
 */
async function replaceArchive({ files, hash }: ArchiveStores, base: StoredBackup, partPath: string): Promise<void> {
  const { destination, archive } = base;
  if (!(await isSameArchive(destination, archive, hash).catch(() => false))) {
    const message = `${destination} was changed or removed while a backup was added to it: repeat the backup`;
    fail({ reason: "ARCHIVE_REPLACED", path: destination, message });
  }
  await files.rename(partPath, destination);
}

async function placeArchive({ files, backups }: ArchiveStores, uuid: string, part: string, destination: string) {
  try {
    await files.link(part, destination);
  } catch (error) {
    if (hasErrorCode(error, "EEXIST")) destinationExists(destination, error);
    if (!hasErrorCode(error, ...noLinkCodes)) throw error;
    // An empty file reserves the name, which rename then replaces; otherwise rename could replace another file.
    backups.change(uuid, { hasReservation: true });
    const reservation = await files.create(destination).catch((problem) => {
      if (hasErrorCode(problem, "EEXIST")) destinationExists(destination, problem);
      throw problem;
    });
    await reservation.close();
    await files.rename(part, destination);
    return;
  }
  await files.unlink(part);
}

/** @throws FailureError DESTINATION_EXISTS */
export function destinationExists(destination: string, cause?: unknown): never {
  const message = `${destination} already exists: choose another name, or delete the backup that it belongs to`;
  fail({ reason: "DESTINATION_EXISTS", path: destination, message }, cause);
}
