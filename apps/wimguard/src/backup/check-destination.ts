import { lstat, realpath, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fail } from "../failure/failure.ts";
import { hasErrorCode } from "../failure/to-failure.ts";

/** A destination whose folder exists. */
export interface ResolvedDestination {
  /** Without links in its folder. */
  readonly path: string;
  readonly exists: boolean;
}

/**
 * Returns the destination with its folder resolved, so that two names of one file are the same. Nothing is created: a folder that is missing
 * may be a disk that is not mounted.
 *
 * @throws FailureError DESTINATION_FOLDER_MISSING or DESTINATION_IS_FOLDER
 */
export async function resolveDestination(destination: string): Promise<ResolvedDestination> {
  const folder = await realpath(dirname(destination)).catch((error) => {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR", "ELOOP")) return folderMissing(destination, error);
    throw error;
  });
  if (!(await stat(folder)).isDirectory()) folderMissing(destination);
  const resolved = join(folder, basename(destination));
  const found = await lstat(resolved).catch((error) => {
    if (hasErrorCode(error, "ENOENT")) return undefined;
    throw error;
  });
  if (found?.isDirectory() === true) {
    const message = `${destination} is a folder: pass the name of the file to write in it`;
    fail({ reason: "DESTINATION_IS_FOLDER", path: destination, message });
  }
  return { path: resolved, exists: found !== undefined };
}

/** @throws FailureError DESTINATION_FOLDER_MISSING */
export function folderMissing(destination: string, cause?: unknown): never {
  const message = `the folder ${dirname(destination)} does not exist: create it, or mount the disk that it is on`;
  fail({ reason: "DESTINATION_FOLDER_MISSING", path: destination, message }, cause);
}
