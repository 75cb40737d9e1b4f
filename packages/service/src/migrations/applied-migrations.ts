import sql from "sql-template-tag";
import type { MigrationSession } from "../database/database.ts";
import type { Migration } from "./migration-file.ts";
import type { AppliedMigration } from "./plan-migrations.ts";

// Times are text in both dialects, so that the statements are the same.
const createTable = `CREATE TABLE IF NOT EXISTS tercel_migrations (
  version integer PRIMARY KEY,
  name text NOT NULL,
  sha256 text NOT NULL,
  applied_at text NOT NULL
)`;

export async function ensureAppliedTable(session: MigrationSession): Promise<void> {
  await session.execute(createTable);
}

/** Reads the applied migrations, ordered by version. */
export async function readApplied(session: Pick<MigrationSession, "all">): Promise<AppliedMigration[]> {
  return session.all<AppliedMigration>(
    sql`SELECT version, name, sha256, applied_at FROM tercel_migrations ORDER BY version`,
  );
}

export async function recordApplied(session: MigrationSession, { version, name, sha256 }: Migration): Promise<void> {
  await session.run(sql`INSERT INTO tercel_migrations (version, name, sha256, applied_at)
    VALUES (${version}, ${name}, ${sha256}, ${new Date().toISOString()})`);
}

export async function removeApplied(session: MigrationSession, { version }: AppliedMigration): Promise<void> {
  await session.run(sql`DELETE FROM tercel_migrations WHERE version = ${version}`);
}
