import { lstat, realpath, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fail } from "../failure/failure.ts";
import { hasErrorCode } from "../failure/to-failure.ts";

/** A destination whose folder exists. */
export interface ResolvedDestination {
  /** The path, with links in its folder resolved. */
  readonly path: string;
  readonly exists: boolean;
}

/**
 * Returns the destination with its folder resolved, so that two names of one file are equal. Creates nothing: a missing folder may be on a
 * disk that is not mounted.
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
    const message = `${destination} is a folder: pass the path of the file to write`;
    fail({ reason: "DESTINATION_IS_FOLDER", path: destination, message });
  }
  return { path: resolved, exists: found !== undefined };
}

/** Throws FailureError DESTINATION_FOLDER_MISSING. */
export function folderMissing(destination: string, cause?: unknown): never {
  const message = `the folder ${dirname(destination)} does not exist: create it, or mount its disk`;
  fail({ reason: "DESTINATION_FOLDER_MISSING", path: destination, message }, cause);
}
