import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { StoredBackup } from "../catalog/backup-store.ts";
import { isRepositoryFolder } from "../engine/restic/repository/ensure-repository.ts";
import { localFolderOf } from "../engine/restic/repository/repository-location.ts";
import type { ArchivePresence } from "./archive-identity.ts";

/**
 * Returns the state of a backup in a repository, from a look at its folder. A remote repository is assumed to be complete; reading from it
 * fails otherwise.
 */
export function findSnapshot({ destination, archive }: Pick<StoredBackup, "destination" | "archive">): ArchivePresence {
  const folder = localFolderOf(destination);
  if (folder === undefined) return "archive";
  if (isRepositoryFolder(folder)) return existsSync(join(folder, "snapshots", archive.sha256)) ? "archive" : "gone";
  // An empty folder may be an unmounted mount point.
  return !existsSync(folder) && existsSync(dirname(folder)) ? "gone" : "unreachable";
}
