import type { Clock } from "@tercel/grpc";
import type { Registry } from "@tercel/interceptors/metrics";
import { LRUCache } from "lru-cache";
import sql, { type Sql } from "sql-template-tag";
import { PermanentError } from "../../permanent-error.ts";
import type {
  Database,
  HeldLock,
  LockOptions,
  MigrationSession,
  Transaction,
  TransactionOptions,
} from "../database.ts";
import { DatabaseFull } from "../database-errors.ts";
import { createDatabaseMetrics, type DatabaseMetrics } from "../database-metrics.ts";
import { createQueries } from "../queries.ts";
import { readTransactionOptions } from "../transaction-options.ts";
import { CurrentTransaction, TransactionScope } from "../transaction-scope.ts";
import { retryWhileBusy } from "./busy-retry.ts";
import { firstWord } from "./first-word.ts";
import { SqliteConnection } from "./sqlite-connection.ts";
import { isNotADatabase, isReadOnly } from "./sqlite-errors.ts";
import { SqliteLocks } from "./sqlite-locks.ts";
import { createTransaction, rollBack } from "./sqlite-transaction.ts";
import { StreamSlots } from "./stream-slots.ts";
import { WriterQueue } from "./writer-queue.ts";

export interface SqliteOptions {
  /** The file, or `:memory:`. */
  readonly path: string;
  /** Timeout for the writer, in this process or another. Default 5000. */
  readonly busyTimeoutMs?: number;
  /** Default `full`: commits survive a power failure. `normal` is faster, but may lose the last commits then. */
  readonly synchronous?: "full" | "normal";
  /** Maximum number of connections for `stream`; further streams wait. Default 10. */
  readonly maxStreams?: number;
}

export interface SqliteHost {
  readonly name: string;
  readonly clock: Clock;
  readonly metrics?: Registry | undefined;
}

export interface SqliteDatabase extends Database {
  /** Whether the data is lost when this object is closed. */
  readonly isInMemory: boolean;
  /** Rejects when the database cannot be read, or when a write found the disk full and it still is. */
  check(): Promise<void>;
  /** Waits for the running transaction, then closes the connections. */
  close(): Promise<void>;
}

/** First words of statements that are tried on the reader; `WITH` may write, which the first attempt shows. */
const mayRead: ReadonlySet<string> = new Set(["SELECT", "VALUES", "EXPLAIN", "WITH"]);
const maxKnownWrites = 500;
const migrationLock = "migrations";
const lockPollMs = 1000;
const readProbe = sql`SELECT 1`;
/** Probes free space with more bytes than a call writes, so that calls do not fail again right after. */
const writeProbe = sql`INSERT INTO tercel_write_probe (filler) VALUES (zeroblob(65536))`;
const inMemory = ":memory:";

/**
 * Opens a database file, creating it if needed; its folder must exist. Writes and transactions run one after another on one connection; reads outside
 * of transactions run on another one, so that they see only committed data and never wait for a writer (write-ahead log).
 *
 * @throws Error when the file cannot be opened, PermanentError when it is not a database
 */
export async function openSqlite(options: SqliteOptions, host: SqliteHost): Promise<SqliteDatabase> {
  const { path, busyTimeoutMs = 5000, synchronous = "full" } = options;
  let writer: SqliteConnection | undefined;
  try {
    const opened = new SqliteConnection({ path, synchronous });
    writer = opened;
    if (path === inMemory) return new OpenSqlite(opened, undefined, options, host);
    // Several processes may do this at once with a new file.
    await retryWhileBusy(host.clock, busyTimeoutMs, () => opened.execute("PRAGMA journal_mode = WAL"));
    const reader = new SqliteConnection({ path, isReadOnly: true });
    return new OpenSqlite(opened, reader, options, host);
  } catch (error) {
    writer?.close();
    const text = `sqlite at ${path}: ${(error as Error).message}`;
    throw isNotADatabase(error) ? new PermanentError(text, { cause: error }) : new Error(text, { cause: error });
  }
}

class OpenSqlite implements SqliteDatabase {
  readonly dialect = "sqlite";
  readonly description: string;
  readonly isInMemory: boolean;
  readonly all: Database["all"];
  readonly first: Database["first"];
  readonly one: Database["one"];
  readonly run: Database["run"];
  readonly stream: Database["stream"];
  readonly #writer: SqliteConnection;
  /** Undefined in memory, where a second connection would open another database. */
  readonly #reader: SqliteConnection | undefined;
  readonly #path: string;
  readonly #busyTimeoutMs: number;
  readonly #clock: Clock;
  readonly #queue: WriterQueue;
  readonly #slots: StreamSlots;
  readonly #metrics: DatabaseMetrics;
  readonly #current = new CurrentTransaction();
  /** Statements that begin like a query but write. */
  readonly #writes = new LRUCache<string, true>({ max: maxKnownWrites });
  readonly #locks: SqliteLocks;
  #isClosed = false;
  /** Set when a write found the disk full. */
  #isFull = false;

  constructor(
    writer: SqliteConnection,
    reader: SqliteConnection | undefined,
    { path, busyTimeoutMs = 5000, maxStreams = 10 }: SqliteOptions,
    { name, clock, metrics }: SqliteHost,
  ) {
    this.#writer = writer;
    this.#reader = reader;
    this.#path = path;
    this.#busyTimeoutMs = busyTimeoutMs;
    this.#clock = clock;
    this.isInMemory = path === inMemory;
    this.description = this.isInMemory ? "sqlite in memory" : `sqlite at ${path}`;
    this.#queue = new WriterQueue(this.description, clock, busyTimeoutMs);
    this.#slots = new StreamSlots(maxStreams);
    this.#locks = new SqliteLocks(this.isInMemory ? undefined : path);
    this.#metrics = createDatabaseMetrics(metrics, name, clock, () => ({
      used: Number(this.#queue.isHeld) + this.#slots.used,
      idle: Number(!this.#queue.isHeld),
      waiting: this.#queue.waiting + this.#slots.waiting,
    }));
    const queries = createQueries(
      this.#current.guard({
        all: (query) => this.#metrics.time("query", () => this.#all(query)),
        run: (query) => this.#metrics.time("run", () => this.#write(() => writer.run(query))),
        stream: (query) => this.#stream(query),
      }),
    );
    this.all = queries.all;
    this.first = queries.first;
    this.one = queries.one;
    this.run = queries.run;
    this.stream = queries.stream;
  }

  async transaction<T>(work: (tx: Transaction) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    this.#current.refuseInside("transaction");
    // Only validated: transactions are always serializable, and with one writer they never conflict.
    readTransactionOptions(options);
    return this.#metrics.time("transaction", async () => {
      await this.#queue.acquire();
      try {
        this.#refuseClosed();
        await retryWhileBusy(this.#clock, this.#busyTimeoutMs, () => this.#writer.execute("BEGIN IMMEDIATE"));
        return await this.#runTransaction(work);
      } finally {
        this.#queue.release();
      }
    });
  }

  async tryLock(name: string, options?: LockOptions): Promise<HeldLock | undefined> {
    return this.#isClosed ? undefined : this.#locks.tryLock(name, options);
  }

  async openMigrationSession(signal?: AbortSignal): Promise<MigrationSession> {
    const lock = await this.#waitForMigrationLock(signal);
    try {
      await this.#queue.acquire();
    } catch (error) {
      await lock.release();
      throw error;
    }
    const attempt = <T>(use: () => T): Promise<T> => retryWhileBusy(this.#clock, this.#busyTimeoutMs, use);
    return {
      all: async <Row extends object>(query: Sql) => (await attempt(() => this.#writer.all(query))) as Row[],
      run: (query) => attempt(() => this.#writer.run(query)),
      execute: (text) => attempt(() => this.#writer.execute(text)),
      close: async () => {
        this.#queue.release();
        await lock.release();
      },
    };
  }

  async check(): Promise<void> {
    await this.all(readProbe);
    if (!this.#isFull) return;
    await this.transaction(async (tx) => {
      await tx.run(sql`CREATE TABLE IF NOT EXISTS tercel_write_probe (filler BLOB NOT NULL) STRICT`);
      await tx.run(writeProbe);
    });
    // Space is allocated at the commit, so the probe needs both statements.
    await this.run(sql`DROP TABLE IF EXISTS tercel_write_probe`);
    this.#isFull = false;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#metrics.close();
    // A transaction that never ends must not prevent the process from exiting.
    const isFree = await this.#queue.acquire().then(
      () => true,
      () => false,
    );
    this.#reader?.close();
    this.#writer.close();
    if (isFree) this.#queue.release();
  }

  async #all(query: Sql): Promise<object[]> {
    this.#refuseClosed();
    const text = query.sql;
    if (this.#reader === undefined || !mayRead.has(firstWord(text)) || this.#writes.has(text)) {
      return this.#write(() => this.#writer.all(query));
    }
    const reader = this.#reader;
    try {
      return await retryWhileBusy(this.#clock, this.#busyTimeoutMs, () => reader.all(query));
    } catch (error) {
      if (!isReadOnly(error)) throw error;
      this.#writes.set(text, true);
      return this.#write(() => this.#writer.all(query));
    }
  }

  /** Runs one statement in its own transaction. */
  async #write<T>(statement: () => T): Promise<T> {
    await this.#queue.acquire();
    try {
      this.#refuseClosed();
      return await retryWhileBusy(this.#clock, this.#busyTimeoutMs, statement);
    } catch (error) {
      this.#note(error);
      throw error;
    } finally {
      this.#queue.release();
    }
  }

  async *#stream(query: Sql): AsyncGenerator<object> {
    if (this.isInMemory) {
      yield* await this.#all(query);
      return;
    }
    await this.#slots.acquire();
    let connection: SqliteConnection | undefined;
    try {
      // A separate connection, because an open query pins its connection to a snapshot.
      const own = new SqliteConnection({ path: this.#path, isReadOnly: true });
      connection = own;
      // Only the first step can be blocked by a lock; then the connection has its snapshot.
      const { rows, first } = await retryWhileBusy(this.#clock, this.#busyTimeoutMs, () => {
        const rows = own.iterate(query);
        return { rows, first: rows.next() };
      });
      if (first.done === true) return;
      yield first.value;
      yield* rows;
    } finally {
      connection?.close();
      this.#slots.release();
    }
  }

  async #runTransaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const scope = new TransactionScope();
    const channels = new Set<string>();
    try {
      const tx = createTransaction(scope, this.#writer, channels);
      const result = await this.#current.run(scope, () => work(tx));
      if (scope.failure !== undefined) throw scope.failure.error;
      scope.end();
      await retryWhileBusy(this.#clock, this.#busyTimeoutMs, () => this.#writer.execute("COMMIT"));
      for (const channel of channels) this.#locks.notify(channel);
      return result;
    } catch (error) {
      rollBack(this.#writer);
      this.#note(error);
      throw error;
    } finally {
      scope.end();
    }
  }

  #note(error: unknown): void {
    if (error instanceof DatabaseFull) this.#isFull = true;
  }

  async #waitForMigrationLock(signal: AbortSignal | undefined): Promise<HeldLock> {
    for (;;) {
      signal?.throwIfAborted();
      this.#refuseClosed();
      const lock = await this.tryLock(migrationLock);
      if (lock !== undefined) return lock;
      await new Promise<void>((resolve) => this.#clock.after(lockPollMs, resolve, true));
    }
  }

  #refuseClosed(): void {
    if (this.#isClosed) throw new Error(`${this.description} is closed`);
  }
}
