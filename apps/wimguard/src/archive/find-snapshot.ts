import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { StoredBackup } from "../catalog/backup-store.ts";
import { isRepositoryFolder } from "../engine/restic/repository/ensure-repository.ts";
import { localFolderOf } from "../engine/restic/repository/repository-location.ts";
import type { ArchivePresence } from "./archive-identity.ts";

/**
 * What a repository has of a backup, as far as a look at a folder shows. One that is remote is taken for complete: whoever reads from it gets an
 * error if it is not.
 */
export function findSnapshot({ destination, archive }: Pick<StoredBackup, "destination" | "archive">): ArchivePresence {
  const folder = localFolderOf(destination);
  if (folder === undefined) return "archive";
  if (isRepositoryFolder(folder)) return existsSync(join(folder, "snapshots", archive.sha256)) ? "archive" : "gone";
  // An empty folder may be where its disk is mounted.
  return !existsSync(folder) && existsSync(dirname(folder)) ? "gone" : "unreachable";
}
