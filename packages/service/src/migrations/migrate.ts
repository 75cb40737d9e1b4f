import type { Log } from "@tercel/grpc";
import sql from "sql-template-tag";
import type { Database, MigrationSession } from "../database/database.ts";
import { PermanentError } from "../permanent-error.ts";
import { ensureAppliedTable, readApplied, recordApplied, removeApplied } from "./applied-migrations.ts";
import { type AppliedMigration, planMigrations } from "./plan-migrations.ts";
import { readMigrations } from "./read-migrations.ts";
import { runMigration } from "./run-migration.ts";

export interface MigrateOptions {
  /** Folder with `0001_users.sql` and the following migrations; its URL ends with a slash. */
  readonly folder: URL;
  readonly log: Log;
  /** Aborts the wait for another migrating process. */
  readonly signal?: AbortSignal;
}

/**
 * Applies the pending migrations under a lock across processes, and returns their names.
 *
 * @throws PermanentError for a migration that was edited or that the database rejects; earlier ones stay applied
 */
export async function migrate(database: Database, { folder, log, signal }: MigrateOptions): Promise<string[]> {
  const files = await readMigrations(folder, database.dialect);
  return withSession(database, signal, async (session) => {
    const { pending, unknown } = planMigrations(files, await readApplied(session));
    reportUnknown(log, unknown);
    for (const migration of pending) {
      await runMigration(session, database.dialect, migration, "up", () => recordApplied(session, migration));
      log.info("migration applied", { migration: migration.name, database: database.description });
    }
    if (pending.length > 0 && database.dialect === "sqlite") await adviseStrict(session, log);
    return pending.map(({ name }) => name);
  });
}

/**
 * Checks that no migration is pending.
 *
 * @throws PermanentError that lists the pending ones, or for an edited one
 */
export async function checkMigrations(database: Database, { folder, log }: MigrateOptions): Promise<void> {
  const files = await readMigrations(folder, database.dialect);
  const { pending, unknown } = planMigrations(files, await readAppliedIfAny(database));
  reportUnknown(log, unknown);
  if (pending.length === 0) return;
  const names = pending.map(({ name }) => name).join(", ");
  const count = pending.length === 1 ? "1 migration is" : `${pending.length} migrations are`;
  throw new PermanentError(`${count} pending at ${database.description} (${names}): run node main.js --migrate`);
}

export interface MigrationState {
  readonly name: string;
  /** ISO time in UTC; undefined while pending. */
  readonly appliedAt: string | undefined;
}

/** Lists all migrations in order, including those of later releases. */
export async function readMigrationStates(database: Database, folder: URL): Promise<MigrationState[]> {
  const files = await readMigrations(folder, database.dialect);
  const applied = await readAppliedIfAny(database);
  const { pending } = planMigrations(files, applied);
  return [
    ...applied.map(({ name, applied_at }) => ({ name, appliedAt: applied_at })),
    ...pending.map(({ name }) => ({ name, appliedAt: undefined })),
  ];
}

/**
 * Undoes the last `steps` migrations with the SQL after `-- down` in their files, and returns their names.
 *
 * @throws PermanentError if one of them cannot be undone, before anything is undone
 */
export async function rollBackMigrations(
  database: Database,
  { folder, log, signal }: MigrateOptions,
  steps: number,
): Promise<string[]> {
  const files = await readMigrations(folder, database.dialect);
  return withSession(database, signal, async (session) => {
    const applied = await readApplied(session);
    planMigrations(files, applied);
    const undone = applied.slice(-steps).reverse();
    const found = undone.map((one) => {
      const file = files.find(({ version }) => version === one.version);
      if (file?.down !== undefined) return { one, file };
      throw new PermanentError(
        `cannot undo migration ${one.name}: ${file === undefined ? "its file is missing" : 'it has no "-- down"'}`,
      );
    });
    for (const { one, file } of found) {
      await runMigration(session, database.dialect, file, "down", () => removeApplied(session, one));
      log.info("migration undone", { migration: one.name, database: database.description });
    }
    return undone.map(({ name }) => name);
  });
}

async function withSession<T>(
  database: Database,
  signal: AbortSignal | undefined,
  work: (session: MigrationSession) => Promise<T>,
): Promise<T> {
  const session = await database.openMigrationSession(signal);
  try {
    await ensureAppliedTable(session);
    return await work(session);
  } finally {
    await session.close();
  }
}

/** Reads the applied migrations without creating the table, since a check needs no write access. */
async function readAppliedIfAny(database: Database): Promise<AppliedMigration[]> {
  const table =
    database.dialect === "sqlite"
      ? sql`SELECT name FROM sqlite_schema WHERE type = 'table' AND name = 'tercel_migrations'`
      : sql`SELECT to_regclass('tercel_migrations') AS name`;
  const found = await database.first<{ name: string | null }>(table);
  return found === undefined || found.name === null ? [] : readApplied(database);
}

function reportUnknown(log: Log, unknown: readonly AppliedMigration[]): void {
  if (unknown.length === 0) return;
  log.info("database has migrations of a later release", { migrations: unknown.map(({ name }) => name) });
}

async function adviseStrict(session: MigrationSession, log: Log): Promise<void> {
  const lax = await session.all<{ name: string }>(sql`SELECT name FROM pragma_table_list
    WHERE type = 'table' AND strict = 0 AND schema = 'main' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'tercel_%'`);
  if (lax.length === 0) return;
  const tables = lax.map(({ name }) => name);
  log.warn("tables are not STRICT, so they accept values of any type; add STRICT to CREATE TABLE", { tables });
}
