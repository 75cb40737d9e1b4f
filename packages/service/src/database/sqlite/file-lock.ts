import { DatabaseSync } from "node:sqlite";
import { isBusy } from "./sqlite-errors.ts";

/**
 * A lock between processes: an exclusive transaction on a small database of its own next to the data. The system gives it up when the
 * process ends, however it ends. The file stays, because removing it while another process opens it would make two locks.
 */
export interface FileLock {
  release(): void;
}

/** Undefined when another process has it. */
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
