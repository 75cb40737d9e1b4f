import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { chmod, type FileHandle, link, lstat, mkdir, open, readdir, rename, rm, unlink } from "node:fs/promises";
import { promisify } from "node:util";
import { hasErrorCode } from "../failure/to-failure.ts";
import type { DurableFile, DurableFiles } from "./durable-files.ts";

const execute = promisify(execFile);

/** Creates the port over this machine's file systems. */
export function createNodeDurableFiles(): DurableFiles {
  return {
    create: createFile,
    syncFile: syncPath,
    syncFolder: syncPath,
    async syncTree(path) {
      // One system call for the whole file system instead of one for each file.
      await execute("sync", ["--file-system", "--", path]);
    },
    link,
    rename,
    async unlink(path) {
      try {
        await unlink(path);
        return true;
      } catch (error) {
        if (hasErrorCode(error, "ENOENT")) return false;
        throw error;
      }
    },
    makeFolder: (path) => mkdir(path, { mode: 0o700 }),
    removeTree,
    commit(database, work) {
      // IMMEDIATE takes the write lock now; a lock that is upgraded later can fail in the middle of the work.
      database.exec("BEGIN IMMEDIATE");
      try {
        const result = work();
        database.exec("COMMIT");
        return result;
      } catch (error) {
        // SQLite has already rolled back after some errors, a full disk for example.
        if (database.isTransaction) database.exec("ROLLBACK");
        throw error;
      }
    },
  };
}

async function createFile(path: string): Promise<DurableFile> {
  const flags = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_NOFOLLOW;
  const file = await open(path, flags, 0o600);
  return {
    async write(bytes) {
      let written = 0;
      while (written < bytes.length) written += (await file.write(bytes, written)).bytesWritten;
    },
    sync: () => file.sync(),
    close: () => file.close(),
  };
}

async function syncPath(path: string): Promise<void> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    await file.sync();
  } finally {
    await file?.close();
  }
}

/** A restored tree may hold folders that their owner cannot write to. */
async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    if (!hasErrorCode(error, "EACCES", "EPERM", "ENOTEMPTY")) throw error;
    await openFolders(path);
    await rm(path, { recursive: true, force: true });
  }
}

async function openFolders(path: string): Promise<void> {
  const found = await lstat(path);
  if (!found.isDirectory()) return;
  await chmod(path, 0o700);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.isDirectory()) await openFolders(`${path}/${entry.name}`);
  }
}
