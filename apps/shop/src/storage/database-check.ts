import type { DatabaseSync } from "node:sqlite";
import type { HealthCheck } from "@tercel/grpc/services";
import { inTransaction } from "./open-database.ts";
import type { StorageWatch } from "./storage-watch.ts";

/** A dependency that comes back is seen within this; a check costs one small call. */
export const checkIntervalMs = 2_000;
export const checkTimeoutMs = 2_000;

/** More than a call writes, so that calls do not fail again as soon as the service is SERVING. */
const probeBytes = 65_536;

/**
 * Whether a database can be read and, once calls have failed because of the storage, whether it can be written again. While nothing
 * has failed the check writes nothing: an idle service leaves its disk alone.
 *
 * @param table Any of its tables, as it is named in the program.
 */
export function databaseCheck(database: DatabaseSync, table: "users" | "orders", watch: StorageWatch): HealthCheck {
  // Reads from the file and not only from the open handle.
  const probe = database.prepare(`SELECT count(*) FROM (SELECT 1 FROM ${table} LIMIT 1)`);
  return {
    name: "database",
    check() {
      probe.get();
      if (watch.problem === undefined) return;
      // One damaged page is enough, and the others can be written all the same.
      if (watch.problem === "damaged") throw new Error("the database is damaged");
      writeAndRemove(database);
      watch.reportRecovery();
    },
    intervalMs: checkIntervalMs,
    timeoutMs: checkTimeoutMs,
  };
}

/** Committed, because SQLite asks for room on the disk only then. */
function writeAndRemove(database: DatabaseSync): void {
  inTransaction(database, () => {
    // Another process may do the same in the same database.
    database.exec("CREATE TABLE IF NOT EXISTS storage_probe (filler BLOB NOT NULL) STRICT");
    database.prepare("INSERT INTO storage_probe (filler) VALUES (zeroblob(?))").run(probeBytes);
  });
  inTransaction(database, () => database.exec("DROP TABLE IF EXISTS storage_probe"));
}
