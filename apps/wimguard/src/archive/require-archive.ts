import type { StoredBackup } from "../catalog/backup-store.ts";
import { fail } from "../failure/failure.ts";
import type { ArchiveStores } from "./archive-stores.ts";
import { findArchive } from "./delete-archive.ts";

/**
 * Checks that the archive of a completed backup is at its destination.
 *
 * @throws FailureError BACKUP_NOT_COMPLETED, ARCHIVE_GONE, or ARCHIVE_DAMAGED for another file in its place
 */
export async function requireArchive(stores: ArchiveStores, backup: StoredBackup): Promise<void> {
  const { uuid, destination, state } = backup;
  if (state !== "completed") {
    fail({
      reason: "BACKUP_NOT_COMPLETED",
      uuid,
      message: `backup ${uuid} is ${state.replace("_", " ")}: only a completed backup can be restored`,
    });
  }
  const presence = await findArchive(stores, backup);
  if (presence === "archive") return;
  if (presence === "other") {
    const message = `${destination} is not the archive that this backup wrote: it was changed or replaced`;
    fail({ reason: "ARCHIVE_DAMAGED", uuid, path: destination, message });
  }
  const message = `the archive ${destination} does not exist: move it back, or mount its disk`;
  fail({ reason: "ARCHIVE_GONE", uuid, path: destination, message });
}
