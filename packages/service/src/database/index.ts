// For applications.

export { default as sql, empty, join, raw, type Sql } from "sql-template-tag";
export {
  checkMigrations,
  type MigrateOptions,
  type MigrationState,
  migrate,
  readMigrationStates,
  rollBackMigrations,
} from "../migrations/migrate.ts";
export type {
  Database,
  Dialect,
  HeldLock,
  Isolation,
  LockOptions,
  Queries,
  RunResult,
  Transaction,
  TransactionOptions,
} from "./database.ts";
export { CommitUnknown, DatabaseFull, DatabaseUnavailable, RowCountError, UniqueViolation } from "./database-errors.ts";
export {
  openPostgres,
  type PostgresDatabase,
  type PostgresHost,
  type PostgresOptions,
} from "./postgres/postgres-database.ts";
export { openSqlite, type SqliteDatabase, type SqliteHost, type SqliteOptions } from "./sqlite/sqlite-database.ts";

// For adapters.

export type { MigrationSession } from "./database.ts";
