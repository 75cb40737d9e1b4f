import { chmod, lstat } from "node:fs/promises";
import { hasErrorCode } from "../failure/to-failure.ts";
import type { DurableFiles } from "../files/durable-files.ts";

/** Moves a folder, one that its owner must not write to as well: moving changes its entry "..". */
export async function moveFolder(files: DurableFiles, from: string, to: string): Promise<void> {
  try {
    await files.rename(from, to);
  } catch (error) {
    if (!hasErrorCode(error, "EACCES")) throw error;
    const { mode } = await lstat(from);
    await chmod(from, (mode & 0o7777) | 0o200);
    await files.rename(from, to);
    await chmod(to, mode & 0o7777);
  }
}
