import { readdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { isRepositoryFolder } from "../engine/restic/repository/ensure-repository.ts";
import { localFolderOf, repositoryPrefix } from "../engine/restic/repository/repository-location.ts";
import { fail } from "../failure/failure.ts";
import { hasErrorCode } from "../failure/to-failure.ts";
import { folderMissing, type ResolvedDestination } from "./check-destination.ts";

/**
 * Returns a repository with its folder resolved, so that two names of one repository are equal. Unlike a file, a repository may exist: it
 * takes any number of backups.
 *
 * @throws FailureError DESTINATION_FOLDER_MISSING, or DESTINATION_IS_FOLDER for a folder with other files
 */
export async function resolveRepository(destination: string): Promise<ResolvedDestination> {
  const local = localFolderOf(destination);
  if (local === undefined) return { path: destination, exists: false };
  const parent = await realpath(dirname(local)).catch((error) => {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR", "ELOOP")) return folderMissing(local, error);
    throw error;
  });
  const folder = join(parent, basename(local));
  if (!isRepositoryFolder(folder)) await refuseOther(folder);
  return { path: repositoryPrefix + folder, exists: false };
}

/** Rejects a folder with other files: a repository is created in a new or empty folder. */
async function refuseOther(folder: string): Promise<void> {
  const found = await stat(folder).catch((error) => {
    if (hasErrorCode(error, "ENOENT")) return undefined;
    throw error;
  });
  if (found === undefined || (found.isDirectory() && (await readdir(folder)).length === 0)) return;
  const what = found.isDirectory() ? "a folder with other files" : "a file";
  const message = `${folder} is ${what}, not a restic repository: pass a new or empty folder`;
  fail({ reason: "DESTINATION_IS_FOLDER", path: folder, message });
}
