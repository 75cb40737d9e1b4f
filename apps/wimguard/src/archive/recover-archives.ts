import { dirname } from "node:path";
import type { StoredBackup } from "../catalog/backup-store.ts";
import { isRepository } from "../engine/restic/repository/repository-location.ts";
import { type Failure, FailureError } from "../failure/failure.ts";
import type { ArchiveStores } from "./archive-stores.ts";
import { findArchive, finishDelete } from "./delete-archive.ts";
import { completeBackup } from "./publish-archive.ts";
import { isReachable, removeOwnFiles, undoBackup } from "./undo-backup.ts";

/** The outcome of a backup that the previous daemon did not finish. */
export interface Recovered {
  readonly uuid: string;
  readonly outcome: "undone" | "completed" | "deleted" | "cleaned" | "waiting";
}

const interrupted: Failure = { reason: "STOPPING", message: "interrupted: the daemon ended during the backup" };

/**
 * Finishes or undoes what a crash interrupted, before new jobs start. Touches only files that the catalogue names. Files on a disk that is not
 * mounted are left to a later start.
 */
export async function recoverArchives(stores: ArchiveStores): Promise<Recovered[]> {
  const recovered: Recovered[] = [];
  for (const backup of stores.backups.unfinished()) {
    recovered.push({ uuid: backup.uuid, outcome: await recoverOne(stores, backup) });
  }
  return recovered;
}

async function recoverOne(stores: ArchiveStores, backup: StoredBackup): Promise<Recovered["outcome"]> {
  if (backup.state === "in_progress") {
    await undoBackup(stores, backup, "failed", interrupted);
    return "undone";
  }
  if (backup.state === "publishing") return recoverPublishing(stores, backup);
  if (backup.state === "deleting") {
    const presence = await findArchive(stores, backup);
    if (presence === "unreachable") return "waiting";
    return finishDelete(stores, backup, presence).then(
      () => "deleted",
      // If the program that rewrites the file, or space for it, is missing, the delete is postponed.
      (error) => {
        if (error instanceof FailureError) return "waiting";
        throw error;
      },
    );
  }
  if (!(await removeOwnFiles(stores, backup))) return "waiting";
  stores.backups.change(backup.uuid, { part: null, hasReservation: false });
  return "cleaned";
}

async function recoverPublishing(stores: ArchiveStores, backup: StoredBackup): Promise<Recovered["outcome"]> {
  const { files } = stores;
  const { part, destination } = backup;
  if (isRepository(destination)) {
    // The id is known, so the snapshot is in the repository.
    completeBackup(stores, backup);
    return "completed";
  }
  if (part !== undefined && !(await isReachable(part))) return "waiting";
  if ((await findArchive(stores, backup)) !== "archive") {
    await undoBackup(stores, backup, "failed", interrupted);
    return "undone";
  }
  if (part !== undefined) await files.unlink(part.path);
  await files.syncFolder(dirname(destination));
  completeBackup(stores, backup);
  return "completed";
}
