import { DatabaseSync } from "node:sqlite";
import { isBusy } from "./sqlite-errors.ts";

/**
 * A lock between processes: an exclusive transaction on a small separate database next to the data. The system releases it when the process ends,
 * however it ends. The file is not removed, because another process could be opening it.
 */
export interface FileLock {
  release(): void;
}

/** Tries to take the lock; returns undefined when another process has it. */
export function tryFileLock(path: string): FileLock | undefined {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
  return { release: () => database.close() };
}
