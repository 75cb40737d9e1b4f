import sql from "sql-template-tag";
import type { Dialect, MigrationSession } from "../database/database.ts";
import { UniqueViolation } from "../database/database-errors.ts";
import { PermanentError } from "../permanent-error.ts";
import type { Migration } from "./migration-file.ts";
import { splitStatements } from "./split-statements.ts";

/**
 * Runs one direction of a migration and `record`, which records it, in one transaction, unless the file is marked as not transactional.
 *
 * @throws PermanentError for SQL that the database rejects; other errors, such as a lost connection, unchanged
 */
export async function runMigration(
  session: MigrationSession,
  dialect: Dialect,
  migration: Migration,
  side: "up" | "down",
  record: () => Promise<void>,
): Promise<void> {
  const text = migration[side] ?? "";
  if (!migration.isTransactional) {
    await runPlain(session, dialect, migration, text);
    await record();
    return;
  }
  await session.execute(dialect === "sqlite" ? "BEGIN IMMEDIATE" : "BEGIN");
  try {
    await session.execute(text);
    await record();
    await session.execute("COMMIT");
  } catch (error) {
    await session.execute("ROLLBACK").catch(() => {});
    throw explain(migration, error, text, "it was rolled back");
  }
}

async function runPlain(
  session: MigrationSession,
  dialect: Dialect,
  migration: Migration,
  text: string,
): Promise<void> {
  // SQLite commits each statement; PostgreSQL runs all statements of one message in one transaction.
  const statements = dialect === "sqlite" ? [text] : splitStatements(text);
  for (const statement of statements) {
    try {
      await session.execute(statement);
    } catch (error) {
      throw explain(migration, error, statement, "earlier statements were applied");
    }
  }
  if (dialect === "postgres") await refuseInvalidIndexes(session, migration);
}

/** Rejects invalid indexes: a failed `CREATE INDEX CONCURRENTLY` leaves one that slows writes and is not used by queries. */
async function refuseInvalidIndexes(session: MigrationSession, migration: Migration): Promise<void> {
  const invalid = await session.all<{ name: string }>(sql`SELECT c.relname AS name FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT i.indisvalid AND n.nspname = ANY (current_schemas(false)) ORDER BY c.relname`);
  if (invalid.length === 0) return;
  const names = invalid.map(({ name }) => name);
  throw new PermanentError(
    `migration ${migration.file}: index ${names.join(", ")} is invalid because its creation failed or was interrupted; ` +
      `fix the data if needed, run DROP INDEX ${names.join(", ")}, and migrate again`,
  );
}

interface SqlError {
  readonly message: string;
  /** PostgreSQL: set on errors of the server. */
  readonly severity?: string;
  /** PostgreSQL: position of the character, from 1. */
  readonly position?: string;
  /** SQLite's result code. */
  readonly errcode?: number;
}

const sqliteBusy = 5;

function explain(migration: Migration, error: unknown, text: string, remark: string): unknown {
  const said = error instanceof UniqueViolation ? error.cause : error;
  const { message, severity, position, errcode } = said as SqlError;
  const isRefused = severity !== undefined || (errcode !== undefined && errcode !== sqliteBusy);
  if (!isRefused) return error;
  const near = position === undefined ? "" : ` at ${JSON.stringify(lineAt(text, Number(position) - 1))}`;
  return new PermanentError(`migration ${migration.file}: ${message}${near}; ${remark}`, { cause: error });
}

const maxShownLine = 120;

function lineAt(text: string, at: number): string {
  const start = text.lastIndexOf("\n", at - 1) + 1;
  const end = text.indexOf("\n", at);
  return text
    .slice(start, end === -1 ? undefined : end)
    .trim()
    .slice(0, maxShownLine);
}
