// The port: what every database can do, whatever engine it is.
import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import type { Sql } from "sql-template-tag";
import type { PublishOptions } from "../events/event-record.ts";

/**
 * Statements, written with `sql`. What is put into the template becomes a parameter and never text. Strings, numbers, bigints, booleans,
 * bytes, Dates and null can be parameters; undefined is null. Columns come back as string, number, bytes or null; integers that a number
 * cannot hold as bigint.
 */
export interface Queries {
  /** Returns every row. */
  all<Row extends object = Record<string, unknown>>(query: Sql): Promise<Row[]>;
  /** Returns the first row, or undefined if there is none. */
  first<Row extends object = Record<string, unknown>>(query: Sql): Promise<Row | undefined>;
  /** Returns the only row. Rejects with `RowCountError` if there is none, or more than one. */
  one<Row extends object = Record<string, unknown>>(query: Sql): Promise<Row>;
  /** Runs a statement for its effect. */
  run(query: Sql): Promise<RunResult>;
  /**
   * Yields rows as they are read, so that a large result never is in memory as a whole (except with SQLite in memory). Outside a
   * transaction it uses a connection until the loop ends, and shows the data of the moment it began.
   */
  stream<Row extends object = Record<string, unknown>>(query: Sql): AsyncIterable<Row>;
}

export interface RunResult {
  /** Rows inserted, updated or deleted. */
  readonly changes: number;
}

/**
 * The same within a transaction. A statement that fails ends the transaction: nothing more can be run in it, and it is rolled back even
 * if `work` catches the error. Use `ON CONFLICT` where a conflict is expected.
 */
export interface Transaction extends Queries {
  /**
   * Writes an event to the outbox as part of this transaction: it is sent after the commit, and never without it. Needs the tables of
   * `createEventTables`, which the service kit creates where events are configured.
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
  /** Default: the database's own, which is `read committed` for PostgreSQL. */
  readonly isolation?: Isolation;
  /**
   * How often `work` is run again when the database gave it up in favour of another transaction (serialization failure, deadlock).
   * Default 3. `work` must therefore not have effects outside of the transaction.
   */
  readonly retries?: number;
}

export type Dialect = "sqlite" | "postgres";

export interface Database extends Queries {
  readonly dialect: Dialect;
  /** What it is and where, for messages: `postgres at db:5432/users`. Never a secret. */
  readonly description: string;
  /**
   * Runs `work` in a transaction, commits when it resolves and rolls back when it rejects. Inside of `work` use `tx`: this object's own
   * methods are refused there, because they would not belong to the transaction, and could wait for it forever.
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /**
   * Takes a lock that one holder in all processes has at a time, or returns undefined if someone else has it. With `channel`, calls
   * `onNotify` for each `notify` on that channel while the lock is held; calls may be merged or lost, so poll as well.
   */
  tryLock(name: string, options?: LockOptions): Promise<HeldLock | undefined>;
  /** Waits until this process is the only one that migrates, and opens a connection for it. */
  openMigrationSession(signal?: AbortSignal): Promise<MigrationSession>;
}

export interface LockOptions {
  readonly channel?: string;
  readonly onNotify?: () => void;
}

export interface HeldLock {
  /** Aborted when the lock is lost without `release`, for instance with its connection. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

/** One connection, outside transactions, on which the migrations' lock is held until `close`. */
export interface MigrationSession {
  all<Row extends object = Record<string, unknown>>(query: Sql): Promise<Row[]>;
  run(query: Sql): Promise<RunResult>;
  /** Runs the text of a file: one or more statements without parameters. */
  execute(text: string): Promise<void>;
  close(): Promise<void>;
}
