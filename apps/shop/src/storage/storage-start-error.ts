import { accessSync, constants, statSync } from "node:fs";
import { dirname } from "node:path";
import { waysToSet } from "../config/read-settings.ts";
import { sqliteProblemOf, storageProblemOf } from "./storage-problem.ts";

/**
 * Opens a file that a service cannot start without. An error is one that names the file, what is wrong with it, and what an operator can
 * do about it.
 *
 * @throws Error
 */
export function openStorage<Opened>(path: string, open: () => Opened): Opened {
  try {
    return open();
  } catch (error) {
    throw storageStartError(path, error);
  }
}

/** The error for a file that cannot be opened, or not be used. */
export function storageStartError(path: string, error: unknown): Error {
  const reason = textOf(sqliteProblemOf(error)?.error ?? error);
  switch (storageProblemOf(error)) {
    case "full":
      return new Error(`cannot write ${path}: the disk is full (${reason}); free some space`, { cause: error });
    case "damaged":
      return new Error(
        `${path} is damaged (${reason}); restore a backup, or delete it with its -wal and -shm files to start empty`,
        { cause: error },
      );
    case "locked":
      return new Error(`${path} is in use by another program (${reason}); end that program`, { cause: error });
    case "not-writable":
    case "not-accessible":
      return new Error(
        `cannot use ${path}: ${obstacleTo(path) ?? reason}; make its folder writable for this user, ` +
          `or choose another folder with ${waysToSet("dataDir")}`,
        { cause: error },
      );
    default:
      // Errors of our own name the file and what to do.
      return error instanceof Error ? error : new Error(reason);
  }
}

/** SQLite says no more than "unable to open database file", and a recursive mkdir says ENOENT; the file system knows why. */
function obstacleTo(path: string): string | undefined {
  let folder = dirname(path);
  for (;;) {
    try {
      if (!statSync(folder).isDirectory()) return `${folder} is not a folder`;
      break;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "ENOENT" && code !== "ENOTDIR") return textOf(error);
      // What does not exist yet is created in the nearest folder that does.
      if (dirname(folder) === folder) return textOf(error);
      folder = dirname(folder);
    }
  }
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    return textOf(error);
  }
  try {
    if (statSync(path).isDirectory()) return "it is a folder";
    accessSync(path, constants.R_OK | constants.W_OK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") return textOf(error);
  }
  return undefined;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
