import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { BackupState, StoredBackup } from "../catalog/backup-store.ts";
import type { Failure } from "../failure/failure.ts";
import { hasErrorCode } from "../failure/to-failure.ts";
import { noArchive, readIdentity } from "./archive-identity.ts";
import { manifestDraftPathOf, manifestPathOf, scratchPathOf } from "./archive-paths.ts";
import type { ArchiveStores } from "./archive-stores.ts";

/**
 * Removes everything that a backup has written so far and ends it. A part whose folder is not there, because a disk was unplugged for
 * example, stays in the catalogue and is removed at a later start.
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
  // Without an identity no file at the destination, somebody else's of the same content for example, is taken for this backup's.
  const isPartGone = part === undefined || (await removeOwnFiles(stores, backup));
  backups.change(uuid, {
    state,
    failure,
    archive: noArchive,
    endedAtMs: stores.nowMs(),
    ...(isPartGone && { part: null, hasReservation: false }),
  });
}

/** Returns false while the folder cannot be reached. */
export async function removeOwnFiles({ files, backups }: ArchiveStores, backup: StoredBackup): Promise<boolean> {
  const { part, destination, hasReservation, state } = backup;
  if (part === undefined) return true;
  if (!(await isReachable(part))) return false;
  if (state === "publishing" && (await isOurs(backup))) {
    // A file that others are in as well stays, with one image that no backup refers to.
    if (backup.archiveId === backup.uuid) await files.unlink(destination);
    else backups.completeShared(backup.uuid, {});
  }
  if (hasReservation && (await isEmpty(destination))) await files.unlink(destination);
  await files.unlink(part.path);
  await files.syncFolder(dirname(part.path));
  return true;
}

/** Whether the folder of a part is the one that the part was created in: a mount may be off. */
export async function isReachable({ path, device }: NonNullable<StoredBackup["part"]>): Promise<boolean> {
  try {
    return String((await stat(dirname(path), { bigint: true })).dev) === device;
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR")) return false;
    throw error;
  }
}

/** By its inode alone: another file of the same content is somebody's. */
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

/** Undefined for a path that does not exist. */
async function identityOf(path: string): Promise<Awaited<ReturnType<typeof readIdentity>> | undefined> {
  try {
    return await readIdentity(path);
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}
