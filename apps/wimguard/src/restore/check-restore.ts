import { Buffer } from "node:buffer";
import { lstat, readdir, realpath, stat, statfs } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fail } from "../failure/failure.ts";
import { hasErrorCode } from "../failure/to-failure.ts";
import { isInside } from "../path/check-path.ts";

const maxPaths = 10_000;
const maxPathBytes = 4095;

/**
 * Returns the paths of a request in their normal form, relative to the source.
 *
 * @throws FailureError PATH_INVALID or FIELD_INVALID that names the field
 */
export function checkPaths(paths: readonly Uint8Array[]): Buffer[] {
  if (paths.length > maxPaths) {
    fail({
      reason: "FIELD_INVALID",
      field: "paths",
      message: `paths has more than ${maxPaths} entries: name folders instead`,
    });
  }
  return paths.map((bytes, at) => {
    const text = Buffer.from(bytes).toString("latin1");
    const names = text.split("/").filter((name) => name !== "" && name !== ".");
    if (bytes.length > maxPathBytes || text.includes("\0") || names.includes("..")) {
      const message = `invalid paths[${at}]: pass a path relative to the source, without ".." and NUL, of at most ${maxPathBytes} bytes`;
      fail({ reason: "PATH_INVALID", field: `paths[${at}]`, message });
    }
    return Buffer.from(names.join("/"), "latin1");
  });
}

/**
 * Returns the target with its folder resolved. It must be a new path in a folder that exists, or an empty folder.
 *
 * @param roots folders that targets must be in; undefined for anywhere
 * @throws FailureError TARGET_FOLDER_MISSING, TARGET_NOT_EMPTY or PATH_OUTSIDE_ROOTS
 */
export async function resolveTarget(target: string, roots: readonly string[] | undefined): Promise<string> {
  const folder = await realpath(dirname(target)).catch((error) => {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR", "ELOOP")) return folderMissing(target, error);
    throw error;
  });
  if (!(await stat(folder)).isDirectory()) folderMissing(target);
  const resolved = join(folder, basename(target));
  if (roots !== undefined && !isInside(resolved, roots)) {
    const message = `${target} is outside of the folders that may be restored to: ${roots.join(", ")}`;
    fail({ reason: "PATH_OUTSIDE_ROOTS", path: target, message });
  }
  await refuseUsedTarget(resolved);
  return resolved;
}

/** @throws FailureError TARGET_NOT_EMPTY */
export async function refuseUsedTarget(target: string): Promise<void> {
  const found = await lstat(target).catch((error) => {
    if (hasErrorCode(error, "ENOENT")) return undefined;
    throw error;
  });
  if (found === undefined) return;
  if (found.isDirectory() && (await readdir(target)).length === 0) return;
  const problem = found.isDirectory() ? "is not empty" : "is not a folder";
  fail({
    reason: "TARGET_NOT_EMPTY",
    path: target,
    message: `the target ${target} ${problem}: restore into a new folder`,
  });
}

/** @throws FailureError NO_SPACE, before anything is written */
export async function requireSpace(target: string, neededBytes: number): Promise<number> {
  const { bavail, bsize } = await statfs(dirname(target));
  const freeBytes = bavail * bsize;
  if (neededBytes <= freeBytes) return freeBytes;
  const message = `no space left: the restore needs ${neededBytes} bytes and ${freeBytes} are free in ${dirname(target)}`;
  fail({ reason: "NO_SPACE", path: target, message });
}

function folderMissing(target: string, cause?: unknown): never {
  const message = `the folder ${dirname(target)} does not exist: create it, or mount the disk that it is on`;
  fail({ reason: "TARGET_FOLDER_MISSING", path: target, message }, cause);
}
