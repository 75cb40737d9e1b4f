import { Buffer } from "node:buffer";
import { lstat, readdir, realpath, stat, statfs } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fail } from "../failure/failure.ts";
import { hasErrorCode } from "../failure/to-failure.ts";
import { isInside } from "../path/check-path.ts";
import type { Conflict } from "./conflict.ts";

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

/** A target whose folder exists. */
export interface ResolvedTarget {
  /** Without links. */
  readonly path: string;
  /** Whether it is a folder with something in it. */
  readonly isUsed: boolean;
}

/**
 * Returns the target with its folder resolved. It must be a new path in a folder that exists, or an empty folder, or for other conflict
 * modes than `fail` any folder.
 *
 * @param roots folders that targets must be in; undefined for anywhere
 * @throws FailureError TARGET_FOLDER_MISSING, TARGET_NOT_EMPTY or PATH_OUTSIDE_ROOTS
 */
export async function resolveTarget(
  target: string,
  conflict: Conflict,
  roots: readonly string[] | undefined,
): Promise<ResolvedTarget> {
  const folder = await realpath(dirname(target)).catch((error) => {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR", "ELOOP")) return folderMissing(target, error);
    throw error;
  });
  if (!(await stat(folder)).isDirectory()) folderMissing(target);
  const resolved = join(folder, basename(target));
  if (roots !== undefined && !isInside(resolved, roots)) {
    const message = `${target} is outside of the folders that may be restored to (service.server.roots.restores): ${roots.join(", ")}`;
    fail({ reason: "PATH_OUTSIDE_ROOTS", path: target, message });
  }
  if (conflict === "fail") {
    await refuseUsedTarget(resolved);
    return { path: resolved, isUsed: false };
  }
  const state = await stateOf(resolved);
  if (state === "other") notFolder(resolved);
  return { path: resolved, isUsed: state === "used" };
}

/** @throws FailureError TARGET_NOT_EMPTY */
export async function refuseUsedTarget(target: string): Promise<void> {
  const state = await stateOf(target);
  if (state === "other") notFolder(target);
  if (state !== "used") return;
  const message = `the target ${target} is not empty: restore into a new folder, or say what to do with what it has (conflict)`;
  fail({ reason: "TARGET_NOT_EMPTY", path: target, message });
}

function notFolder(target: string): never {
  const message = `the target ${target} is not a folder: restore into a new folder`;
  fail({ reason: "TARGET_NOT_EMPTY", path: target, message });
}

/** A link to a folder is something else: the folder is not where its name says. */
async function stateOf(target: string): Promise<"new" | "empty" | "used" | "other"> {
  const found = await lstat(target).catch((error) => {
    if (hasErrorCode(error, "ENOENT")) return undefined;
    throw error;
  });
  if (found === undefined) return "new";
  if (!found.isDirectory()) return "other";
  return (await readdir(target)).length === 0 ? "empty" : "used";
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
  const message = `the folder ${dirname(target)} does not exist: create it, or mount its disk`;
  fail({ reason: "TARGET_FOLDER_MISSING", path: target, message }, cause);
}
