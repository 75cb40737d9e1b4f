import type { Log } from "@tercel/grpc";
import sql from "sql-template-tag";
import type { Database, MigrationSession } from "../database/database.ts";
import { PermanentError } from "../permanent-error.ts";
import { ensureAppliedTable, readApplied, recordApplied, removeApplied } from "./applied-migrations.ts";
import { type AppliedMigration, planMigrations } from "./plan-migrations.ts";
import { readMigrations } from "./read-migrations.ts";
import { runMigration } from "./run-migration.ts";

export interface MigrateOptions {
  /** Holds `0001_users.sql` and the files that follow it; its URL ends in a slash. */
  readonly folder: URL;
  readonly log: Log;
  /** Gives up waiting for another process that migrates. */
  readonly signal?: AbortSignal;
}

/**
 * Applies the pending migrations, one process at a time, and returns their names.
 *
 * @throws PermanentError for a migration that was edited or that the database refuses; the earlier ones stay applied
 */
export async function migrate(database: Database, { folder, log, signal }: MigrateOptions): Promise<string[]> {
  const files = await readMigrations(folder, database.dialect);
  return withSession(database, signal, async (session) => {
    const { pending, unknown } = planMigrations(files, await readApplied(session));
    reportUnknown(log, unknown);
    for (const migration of pending) {
      await runMigration(session, database.dialect, migration, "up", () => recordApplied(session, migration));
      log.info("applied a migration", { migration: migration.name, database: database.description });
    }
    if (pending.length > 0 && database.dialect === "sqlite") await adviseStrict(session, log);
    return pending.map(({ name }) => name);
  });
}

/**
 * Makes sure that no migration is pending.
 *
 * @throws PermanentError that names those that are, or for one that was edited
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

/** Lists all migrations, those of later releases included, in order. */
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
 * Undoes the last `steps` migrations by what follows `-- down` in their files, and returns their names.
 *
 * @throws PermanentError if one of them has no way back, before anything is undone
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
        `migration ${one.name} cannot be undone: ${file === undefined ? "its file is missing" : 'it has no "-- down"'}`,
      );
    });
    for (const { one, file } of found) {
      await runMigration(session, database.dialect, file, "down", () => removeApplied(session, one));
      log.info("undid a migration", { migration: one.name, database: database.description });
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

/** Without making the table: checking needs no right to change anything. */
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
  log.info("the database has migrations of a later release", { migrations: unknown.map(({ name }) => name) });
}

async function adviseStrict(session: MigrationSession, log: Log): Promise<void> {
  const lax = await session.all<{ name: string }>(sql`SELECT name FROM pragma_table_list
    WHERE type = 'table' AND strict = 0 AND schema = 'main' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'tercel_%'`);
  if (lax.length === 0) return;
  const tables = lax.map(({ name }) => name);
  log.warn("tables accept values of any type; end CREATE TABLE in STRICT", { tables });
}
