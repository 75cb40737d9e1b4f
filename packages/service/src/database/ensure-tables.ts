import sql, { join } from "sql-template-tag";
import type { Database } from "./database.ts";

/** Creates missing tables of the kit; needs the right to create tables only if some are missing. */
export async function ensureTables(
  database: Database,
  names: readonly string[],
  statements: string,
  signal?: AbortSignal,
): Promise<void> {
  if (await hasTables(database, names)) return;
  // Under the migration lock: concurrent CREATE TABLE statements conflict even with IF NOT EXISTS.
  const session = await database.openMigrationSession(signal);
  try {
    await session.execute(statements);
  } finally {
    await session.close();
  }
}

async function hasTables(database: Database, names: readonly string[]): Promise<boolean> {
  const query =
    database.dialect === "sqlite"
      ? sql`SELECT count(*) AS n FROM sqlite_schema WHERE type = 'table' AND name IN (${join([...names])})`
      : sql`SELECT count(*) AS n FROM (VALUES ${join(names.map((name) => sql`(${name}::text)`))}) t (name)
          WHERE to_regclass(name) IS NOT NULL`;
  return (await database.one<{ n: number }>(query)).n === names.length;
}
