import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { FailureError, fail } from "../../../failure/failure.ts";
import { hasErrorCode } from "../../../failure/to-failure.ts";
import type { DurableFiles } from "../../../files/durable-files.ts";
import type { RepositoryAccess, StoreTask } from "../../engine.ts";
import { readRestic } from "../restic-program.ts";
import { localFolderOf, repositoryPrefix } from "./repository-location.ts";

/** Whether a folder has a repository in it. */
export function isRepositoryFolder(folder: string): boolean {
  return existsSync(join(folder, "config"));
}

/**
 * Makes a repository where there is none. One that has backups is not made again: the disk that it is on may be off.
 *
 * @throws FailureError REPOSITORY_MISSING for one that has backups
 */
export async function ensureRepository(
  task: Pick<StoreTask, "repository" | "secretRef" | "partPath" | "isKnown">,
  files: DurableFiles,
  signal: AbortSignal,
): Promise<void> {
  const folder = localFolderOf(task.repository);
  if (folder === undefined) return ensureRemote(task, signal);
  if (isRepositoryFolder(folder)) return;
  if (task.isKnown) missing(folder);
  // A repository that was cut off has a key that opens nothing. This one has its name when it is whole.
  const { partPath, secretRef } = task;
  await initialize({ repository: repositoryPrefix + partPath, secretRef }, signal);
  await files.syncTree(partPath);
  try {
    await files.rename(partPath, folder);
  } catch (error) {
    if (!hasErrorCode(error, "ENOTEMPTY", "EEXIST", "ENOTDIR")) throw error;
    const message = `${folder} already exists and is not a restic repository: choose another folder`;
    fail({ reason: "DESTINATION_EXISTS", path: folder, message }, error);
  }
  await files.syncFolder(dirname(folder));
}

async function ensureRemote(task: RepositoryAccess & Pick<StoreTask, "isKnown">, signal: AbortSignal): Promise<void> {
  try {
    await readRestic(task, ["cat", "config", "--no-lock"], "open", signal);
  } catch (error) {
    const isMissing = error instanceof FailureError && error.failure.reason === "REPOSITORY_MISSING";
    if (!isMissing || task.isKnown) throw error;
    await initialize(task, signal);
  }
}

async function initialize(access: RepositoryAccess, signal: AbortSignal): Promise<void> {
  // Version 2 is the one that compresses.
  await readRestic(access, ["init", "--repository-version", "2"], "make the repository", signal);
}

/** @throws FailureError REPOSITORY_MISSING */
export function missing(folder: string): never {
  const message = `the repository ${folder} does not exist: mount its disk, or move it back`;
  fail({ reason: "REPOSITORY_MISSING", engine: "restic", path: folder, message });
}
