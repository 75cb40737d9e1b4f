import { statfsSync } from "node:fs";
import { localFolderOf } from "../engine/restic/repository/repository-location.ts";

/** What a file system has room for. */
export interface FreeSpace {
  readonly freeBytes: number;
  /** Of all of it, from 0 to 1. */
  readonly freePart: number;
}

/** Looks at where a registered destination is; undefined for a folder that is missing, and for another machine. */
export function freeSpaceOf({ url }: { readonly url: string }): FreeSpace | undefined {
  // A folder's path is no repository's, and stays as it is.
  const folder = url.startsWith("/") ? url : localFolderOf(url);
  if (folder === undefined) return undefined;
  try {
    const { bavail, bsize, blocks } = statfsSync(folder);
    return { freeBytes: bavail * bsize, freePart: blocks === 0 ? 1 : bavail / blocks };
  } catch {
    return undefined;
  }
}
