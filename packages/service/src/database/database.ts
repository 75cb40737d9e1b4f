// The database port, which is the same for every engine.
import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import type { Sql } from "sql-template-tag";
import type { PublishOptions } from "../events/event-record.ts";

/**
 * Runs statements written with `sql`. Template values become parameters, never SQL text. Parameters may be strings, numbers, bigints, booleans,
 * bytes, Dates and null; undefined is null. Columns are returned as string, number, bytes or null; integers beyond a number's precision as
 * bigint.
 */
export interface Queries {
  /** Returns all rows. */
  all<Row extends object = Record<string, unknown>>(query: Sql): Promise<Row[]>;
  /** Returns the first row, or undefined if there is none. */
  first<Row extends object = Record<string, unknown>>(query: Sql): Promise<Row | undefined>;
  /** Returns the only row. Rejects with `RowCountError` if there is none, or more than one. */
  one<Row extends object = Record<string, unknown>>(query: Sql): Promise<Row>;
  /** Runs a statement for its effect. */
  run(query: Sql): Promise<RunResult>;
  /**
   * Yields rows as they are read, so that a large result is never in memory as a whole (except with SQLite in memory). Outside a transaction it
   * uses a connection until the loop ends, and reads a snapshot of the data at its start.
   */
  stream<Row extends object = Record<string, unknown>>(query: Sql): AsyncIterable<Row>;
}

export interface RunResult {
  /** Number of rows inserted, updated or deleted. */
  readonly changes: number;
}

/**
 * Runs statements in a transaction. A failed statement ends the transaction: no further statement can run, and it is rolled back even if
 * `work` catches the error. Use `ON CONFLICT` for expected conflicts.
 */
export interface Transaction extends Queries {
  /**
   * Writes an event to the outbox in this transaction: it is sent if and only if the transaction commits. Requires the tables of
   * `createEventTables`, which the service kit creates if events are configured.
   */
  publish<Desc extends DescMessage>(
    schema: Desc,
    message: MessageInitShape<Desc>,
    options?: PublishOptions,
  ): Promise<void>;
  /** Notifies the listeners of the channel after the commit: those of every process with PostgreSQL, those of this process with SQLite. */
  notify(channel: string): Promise<void>;
}

/** SQLite's transactions are always serializable. */
export type Isolation = "read committed" | "repeatable read" | "serializable";

export interface TransactionOptions {
  /** Default: the database's default, `read committed` for PostgreSQL. */
  readonly isolation?: Isolation;
  /**
   * How often `work` is retried after a serialization failure or a deadlock. Default 3. `work` must therefore not have side effects outside of the
   * transaction.
   */
  readonly retries?: number;
}

export type Dialect = "sqlite" | "postgres";

export interface Database extends Queries {
  readonly dialect: Dialect;
  /** Type and location, for messages: `postgres at db:5432/users`. Contains no secret. */
  readonly description: string;
  /**
   * Runs `work` in a transaction; commits when it resolves and rolls back when it rejects. Inside `work` use `tx`: this object's own methods throw
   * there, because they are not part of the transaction and could deadlock with it.
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /**
   * Acquires a lock that is exclusive across processes, or returns undefined if it is held. With `channel`, calls `onNotify` for each `notify` on
   * that channel while the lock is held; calls may be merged or lost, so poll as well.
   */
  tryLock(name: string, options?: LockOptions): Promise<HeldLock | undefined>;
  /** Waits for the migration lock and opens a connection that holds it. */
  openMigrationSession(signal?: AbortSignal): Promise<MigrationSession>;
}

export interface LockOptions {
  readonly channel?: string;
  readonly onNotify?: () => void;
}

export interface HeldLock {
  /** Aborted when the lock is lost without `release`, for example with its connection. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

/** A connection that holds the migration lock until `close`. */
export interface MigrationSession {
  all<Row extends object = Record<string, unknown>>(query: Sql): Promise<Row[]>;
  run(query: Sql): Promise<RunResult>;
  /** Runs the text of a file: one or more statements without parameters. */
  execute(text: string): Promise<void>;
  close(): Promise<void>;
}
