import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { BackupState, StoredBackup } from "../catalog/backup-store.ts";
import { isRepositoryFolder } from "../engine/restic/repository/ensure-repository.ts";
import { isRepository, localFolderOf } from "../engine/restic/repository/repository-location.ts";
import { type Failure, FailureError } from "../failure/failure.ts";
import { hasErrorCode } from "../failure/to-failure.ts";
import { noArchive, readIdentity } from "./archive-identity.ts";
import { manifestDraftPathOf, manifestPathOf, scratchPathOf } from "./archive-paths.ts";
import type { ArchiveStores } from "./archive-stores.ts";

/**
 * Removes everything that a backup has written so far and ends it. A part whose folder is missing, for example because a disk was unplugged,
 * stays in the catalogue and is removed at a later start.
 */
export async function undoBackup(
  stores: ArchiveStores,
  backup: StoredBackup,
  state: Extract<BackupState, "failed" | "cancelled">,
  failure: Failure,
): Promise<void> {
  const { files, backups, manifestFolder } = stores;
  const { uuid, part } = backup;
  const hadDraft = await files.unlink(manifestDraftPathOf(manifestFolder, uuid));
  const hadManifest = await files.unlink(manifestPathOf(manifestFolder, uuid));
  const hadScratch = await files.unlink(scratchPathOf(manifestFolder, uuid));
  if (hadDraft || hadManifest || hadScratch) await files.syncFolder(manifestFolder);
  // Clears the identity, so that another file at the destination is never taken for this backup's.
  const isPartGone = part === undefined || (await removeOwnFiles(stores, backup, failure));
  backups.change(uuid, {
    state,
    failure,
    archive: noArchive,
    endedAtMs: stores.nowMs(),
    ...(isPartGone && { part: null, hasReservation: false }),
  });
}

/**
 * Removes the files of a backup. Returns false while the folder or the repository cannot be reached.
 *
 * @param failure why the backup has ended
 */
export async function removeOwnFiles(
  stores: ArchiveStores,
  backup: StoredBackup,
  failure: Failure | undefined = backup.failure,
): Promise<boolean> {
  const { files, backups } = stores;
  const { part, destination, hasReservation, state } = backup;
  if (part === undefined) return true;
  if (isRepository(destination)) return removeStored(stores, backup, part, failure);
  if (!(await isReachable(part))) return false;
  if (state === "publishing" && (await isOurs(backup))) {
    // A file with other backups stays, with one image that no backup refers to.
    if (backup.archiveId === backup.uuid) await files.unlink(destination);
    else backups.completeShared(backup.uuid, {});
  }
  if (hasReservation && (await isEmpty(destination))) await files.unlink(destination);
  await files.unlink(part.path);
  await files.syncFolder(dirname(part.path));
  return true;
}

/** After these failures no snapshot can exist: the repository was not opened. */
const neverStored: readonly string[] = [
  "ENGINE_MISSING",
  "SECRET_UNUSABLE",
  "SECRET_WRONG",
  "REPOSITORY_LOCKED",
  "REPOSITORY_MISSING",
  "DESTINATION_EXISTS",
];

/** Removes an incomplete repository, and a snapshot that was stored before the backup ended. */
async function removeStored(
  { files, repositories }: ArchiveStores,
  { uuid, destination }: StoredBackup,
  part: NonNullable<StoredBackup["part"]>,
  failure: Failure | undefined,
): Promise<boolean> {
  const folder = localFolderOf(destination);
  if (folder !== undefined) {
    if (!(await isReachable(part))) return false;
    await files.removeTree(part.path);
    await files.syncFolder(dirname(part.path));
    if (!isRepositoryFolder(folder)) return true;
  }
  if (failure !== undefined && neverStored.includes(failure.reason)) return true;
  return repositories.forgetBackup(destination, uuid).then(
    () => true,
    (error) => {
      if (error instanceof FailureError) return false;
      throw error;
    },
  );
}

/** Whether the folder of a part is the one that it was created in: a disk may be unmounted. */
export async function isReachable({ path, device }: NonNullable<StoredBackup["part"]>): Promise<boolean> {
  try {
    return String((await stat(dirname(path), { bigint: true })).dev) === device;
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR")) return false;
    throw error;
  }
}

/** Whether the destination is this backup's file, by its inode: another file may have the same content. */
async function isOurs({ destination, archive }: StoredBackup): Promise<boolean> {
  const found = await identityOf(destination);
  return (
    found !== undefined &&
    found.inode === archive.inode &&
    found.device === archive.device &&
    found.mtimeNs === archive.mtimeNs
  );
}

async function isEmpty(path: string): Promise<boolean> {
  return (await identityOf(path))?.storedBytes === 0;
}

/** Reads an identity; undefined for a path that does not exist. */
async function identityOf(path: string): Promise<Awaited<ReturnType<typeof readIdentity>> | undefined> {
  try {
    return await readIdentity(path);
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}
