import type { DatabaseSync } from "node:sqlite";
import type { HealthCheck } from "@tercel/grpc/services";

/** A dependency that comes back is seen within this; a check costs one small call. */
export const checkIntervalMs = 2_000;
export const checkTimeoutMs = 2_000;

/**
 * Whether a database can be read.
 *
 * @param table Any of its tables, as it is named in the program.
 */
export function databaseCheck(database: DatabaseSync, table: "users" | "orders"): HealthCheck {
  // Reads from the file and not only from the open handle.
  const probe = database.prepare(`SELECT count(*) FROM (SELECT 1 FROM ${table} LIMIT 1)`);
  return {
    name: "database",
    check: () => probe.get(),
    intervalMs: checkIntervalMs,
    timeoutMs: checkTimeoutMs,
  };
}
