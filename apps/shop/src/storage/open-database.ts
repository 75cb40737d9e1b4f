import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { openStorage } from "./storage-start-error.ts";

/**
 * How long a statement waits for another process's lock. Processes of one service share its database, and each holds the
 * lock for a transaction of a few milliseconds; the wait blocks the event loop, which is why it is short.
 */
const lockWaitMs = 1_000;

/**
 * Opens a SQLite database, creating its folder (for this user only) and bringing its schema up to date.
 *
 * @param path File of the database, or ":memory:".
 * @param migrations Statements that lead from version n to n + 1; `PRAGMA user_version` counts those already applied.
 * Entries are only ever appended: what has run on somebody's data cannot be edited any more.
 * @throws Error when the schema is newer than this program, or the file cannot be opened; it names the file and what to do.
 */
export function openDatabase(path: string, migrations: readonly string[]): DatabaseSync {
  return openStorage(path, () => openMigrated(path, migrations));
}

function openMigrated(path: string, migrations: readonly string[]): DatabaseSync {
  if (path !== ":memory:") mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(path, { timeout: lockWaitMs, enableForeignKeyConstraints: true });
  try {
    // Readers of the file, a backup for example, do not block the service's writes. `synchronous` stays FULL: what was
    // acknowledged survives a power cut.
    database.exec("PRAGMA journal_mode = WAL");
    migrate(database, path, migrations);
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
}

/** Runs `work` in a transaction: all of it happens, or, when it throws, nothing. */
export function inTransaction<Result>(database: DatabaseSync, work: () => Result): Result {
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
}

function migrate(database: DatabaseSync, path: string, migrations: readonly string[]): void {
  // The version is read under the write lock, so that two processes starting at once do not both migrate.
  inTransaction(database, () => {
    const version = Number(database.prepare("PRAGMA user_version").get()?.user_version);
    if (version > migrations.length) {
      throw new Error(
        `${path} has schema version ${version}, but this program knows only ${migrations.length}: ` +
          "it was written by a newer release; run that release, or restore a backup from before it",
      );
    }
    for (const migration of migrations.slice(version)) database.exec(migration);
    database.exec(`PRAGMA user_version = ${migrations.length}`);
  });
}
