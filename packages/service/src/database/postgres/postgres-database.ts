import { type Clock, createBackoff, type Log } from "@tercel/grpc";
import type { Backoff } from "@tercel/grpc/naming";
import type { Registry } from "@tercel/interceptors/metrics";
import type pg from "pg";
import type { Sql } from "sql-template-tag";
import { importPeer } from "../../import-peer.ts";
import type {
  Database,
  HeldLock,
  Isolation,
  LockOptions,
  MigrationSession,
  Transaction,
  TransactionOptions,
} from "../database.ts";
import { CommitUnknown, DatabaseUnavailable } from "../database-errors.ts";
import { createDatabaseMetrics, type DatabaseMetrics } from "../database-metrics.ts";
import { createQueries } from "../queries.ts";
import { readTransactionOptions } from "../transaction-options.ts";
import { CurrentTransaction, TransactionScope } from "../transaction-scope.ts";
import { isLockHeldQuery, proveLock, proveSessions, tryAdvisoryLock } from "./advisory-lock.ts";
import { ClientStatements } from "./client-statements.ts";
import { type DirectSession, openDirectSession } from "./direct-session.ts";
import { gaveWay, isConnectionLost, isStalePlan, toOpenError } from "./postgres-errors.ts";
import { createTransaction, rollBack } from "./postgres-transaction.ts";
import { StatementNames } from "./statement-names.ts";
import { valueParsers } from "./value-parsers.ts";

export interface PostgresOptions {
  /** `postgres://user:password@host:5432/database?sslmode=verify-full`. */
  readonly url: string;
  /** URL for locks, notifications and migrations, if `url` is a pooler in transaction mode. Default `url`. */
  readonly migrationUrl?: string;
  /** Maximum number of connections of this process. Default 10: a server allows 100 for all processes together. */
  readonly maxConnections?: number;
  /** Timeout for a connection, new or from the pool. Default 5000. */
  readonly connectTimeoutMs?: number;
  /** Idle time after which a connection is closed. Default 30,000. */
  readonly idleTimeoutMs?: number;
  /** Time after which the server cancels a statement. Default: never. */
  readonly statementTimeoutMs?: number;
  /** Whether statements are prepared once per connection. Default true; false for a pooler without support for them. */
  readonly prepare?: boolean;
}

export interface PostgresHost {
  readonly name: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics?: Registry | undefined;
  /** Shown by `pg_stat_activity`. */
  readonly service?: string;
}

export interface PostgresDatabase extends Database {
  /** Rejects when the server does not respond. */
  check(): Promise<void>;
  /** Closes the connections; waits for those in use. */
  close(): Promise<void>;
}

export const pgPeer = { name: "pg", range: "^8" } as const;
const migrationLock = "migrations";
const lockPollMs = 1000;

/**
 * Opens a pool and its first connection.
 *
 * @throws PermanentError for a missing package, a wrong password, or a role or database that does not exist; DatabaseUnavailable when the
 * server cannot be reached
 */
export async function openPostgres(options: PostgresOptions, host: PostgresHost): Promise<PostgresDatabase> {
  const { default: driver } = await importPeer("database postgres", pgPeer, () => import("pg"));
  const database = new OpenPostgres(driver, options, host);
  try {
    await database.check();
  } catch (error) {
    await database.close();
    throw error;
  }
  return database;
}

class OpenPostgres implements PostgresDatabase {
  readonly dialect = "postgres";
  readonly description: string;
  readonly all: Database["all"];
  readonly first: Database["first"];
  readonly one: Database["one"];
  readonly run: Database["run"];
  readonly stream: Database["stream"];
  readonly #driver: typeof pg;
  readonly #pool: pg.Pool;
  readonly #config: pg.PoolConfig;
  readonly #directUrl: string;
  readonly #names: StatementNames | undefined;
  readonly #clock: Clock;
  readonly #metrics: DatabaseMetrics;
  readonly #current = new CurrentTransaction();
  readonly #retryBackoff: Backoff = createBackoff({ initialDelayMs: 5, maxDelayMs: 500 });
  /** Resolves once it is verified that locks work. */
  #sessionsProved: Promise<void> | undefined;

  constructor(driver: typeof pg, options: PostgresOptions, host: PostgresHost) {
    const { url, migrationUrl, maxConnections = 10, statementTimeoutMs, prepare = true } = options;
    const { name, clock, log, metrics, service } = host;
    this.#driver = driver;
    this.#clock = clock;
    this.#directUrl = migrationUrl ?? url;
    this.#names = prepare ? new StatementNames() : undefined;
    this.#config = {
      connectionString: url,
      max: maxConnections,
      connectionTimeoutMillis: options.connectTimeoutMs ?? 5000,
      idleTimeoutMillis: options.idleTimeoutMs ?? 30_000,
      keepAlive: true,
      types: valueParsers(driver.types),
      ...(service !== undefined && { application_name: service }),
      ...(statementTimeoutMs !== undefined && { statement_timeout: statementTimeoutMs }),
    };
    this.description = describe(driver, url);
    this.#pool = new driver.Pool(this.#config);
    // A lost connection is replaced on demand; without a listener the event would end the process.
    this.#pool.on("connect", (client) => {
      client.on("error", (error) => log.warn("database connection lost", { database: name, error: error.message }));
    });
    this.#pool.on("error", () => {});
    this.#metrics = createDatabaseMetrics(metrics, name, clock, () => ({
      used: this.#pool.totalCount - this.#pool.idleCount,
      idle: this.#pool.idleCount,
      waiting: this.#pool.waitingCount,
    }));
    const queries = createQueries(
      this.#current.guard({
        all: (query) => this.#metrics.time("query", () => this.#withClient((statements) => statements.all(query))),
        run: (query) => this.#metrics.time("run", () => this.#withClient((statements) => statements.run(query))),
        stream: (query) => this.#stream(query),
      }),
    );
    this.all = queries.all;
    this.first = queries.first;
    this.one = queries.one;
    this.run = queries.run;
    this.stream = queries.stream;
  }

  async check(): Promise<void> {
    await this.#withClient((statements) => statements.execute("SELECT 1"));
  }

  async transaction<T>(work: (tx: Transaction) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    this.#current.refuseInside("transaction");
    const { isolation, retries } = readTransactionOptions(options);
    return this.#metrics.time("transaction", async () => {
      for (let attempt = 0; ; attempt++) {
        const client = await this.#begin(isolation);
        const outcome = await this.#attempt(client, work);
        if (outcome.state === "done") return outcome.value;
        if (outcome.state === "failed" || attempt >= retries) throw outcome.error;
        const delayMs = this.#retryBackoff(attempt);
        await new Promise<void>((resolve) => this.#clock.after(delayMs, resolve, true));
      }
    });
  }

  async tryLock(name: string, { channel, onNotify }: LockOptions = {}): Promise<HeldLock | undefined> {
    // Checked over the pool first: many processes try a lock that one of them has, and a direct connection is expensive.
    const [row] = await this.#withClient((statements) => statements.all(isLockHeldQuery(name)));
    if ((row as { held: boolean }).held) return undefined;
    await this.#proveSessions();
    const session = await this.#openSession();
    try {
      if (!(await tryAdvisoryLock(session, name))) {
        await session.close();
        return undefined;
      }
      await proveLock(session, name, this.description);
      if (channel !== undefined && onNotify !== undefined) {
        session.onNotification(onNotify);
        await session.statements.execute(`LISTEN ${this.#quoted(channel)}`);
      }
    } catch (error) {
      await session.close();
      throw error;
    }
    return { lost: session.lost, release: () => session.close() };
  }

  async openMigrationSession(signal?: AbortSignal): Promise<MigrationSession> {
    await this.#proveSessions();
    const session = await this.#openSession();
    try {
      while (!(await tryAdvisoryLock(session, migrationLock))) {
        signal?.throwIfAborted();
        await new Promise<void>((resolve) => this.#clock.after(lockPollMs, resolve, true));
      }
      await proveLock(session, migrationLock, this.description);
    } catch (error) {
      await session.close();
      throw error;
    }
    const { statements } = session;
    return {
      all: async <Row extends object>(query: Sql) => (await statements.all(query)) as Row[],
      run: (query) => statements.run(query),
      execute: (text) => statements.execute(text),
      close: () => session.close(),
    };
  }

  async close(): Promise<void> {
    this.#metrics.close();
    if (!this.#pool.ending) await this.#pool.end();
  }

  async #connect(): Promise<pg.PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (error) {
      throw toOpenError(this.description, error);
    }
  }

  /** Runs one statement. If a migration invalidated its plan, it runs again on another connection, since it had no effect. */
  async #withClient<T>(use: (statements: ClientStatements) => Promise<T>): Promise<T> {
    // Each connection may have the old plan and is then closed.
    for (let left = this.#pool.options.max; ; left--) {
      const client = await this.#connect();
      let isBroken = false;
      try {
        return await use(new ClientStatements(client, this.#names));
      } catch (error) {
        const isLost = isConnectionLost(error);
        isBroken = isLost || isStalePlan(error);
        if (isLost) throw new DatabaseUnavailable(this.description, error);
        if (!isStalePlan(error) || left === 0) throw error;
      } finally {
        client.release(isBroken);
      }
    }
  }

  async *#stream(query: Sql): AsyncGenerator<object> {
    const client = await this.#connect();
    const statements = new ClientStatements(client, this.#names);
    let isBroken = false;
    try {
      await statements.execute("BEGIN READ ONLY");
      yield* statements.stream(query);
    } catch (error) {
      isBroken = isConnectionLost(error);
      throw isBroken ? new DatabaseUnavailable(this.description, error) : error;
    } finally {
      isBroken ||= !(await rollBack(statements));
      client.release(isBroken);
    }
  }

  /** Begins a transaction, on another connection if the server closed this one while it was idle. */
  async #begin(isolation: Isolation | undefined): Promise<pg.PoolClient> {
    const text = isolation === undefined ? "BEGIN" : `BEGIN ISOLATION LEVEL ${isolation}`;
    for (let left = this.#pool.options.max; ; left--) {
      const client = await this.#connect();
      try {
        await new ClientStatements(client, undefined).execute(text);
        return client;
      } catch (error) {
        client.release(true);
        if (!isConnectionLost(error)) throw error;
        if (left === 0) throw new DatabaseUnavailable(this.description, error);
      }
    }
  }

  /** Runs the work once in the open transaction and returns the connection to the pool. */
  async #attempt<T>(client: pg.PoolClient, work: (tx: Transaction) => Promise<T>): Promise<Outcome<T>> {
    const statements = new ClientStatements(client, this.#names);
    const scope = new TransactionScope();
    let isCommitting = false;
    let isBroken = false;
    try {
      const tx = createTransaction(scope, statements);
      const value = await this.#current.run(scope, () => work(tx));
      if (scope.failure !== undefined) throw scope.failure.error;
      scope.end();
      isCommitting = true;
      await statements.execute("COMMIT");
      return { state: "done", value };
    } catch (error) {
      scope.end();
      const reason = scope.failure?.error ?? error;
      // An error of the work itself does not affect the connection.
      const isLost = (scope.failure !== undefined || isCommitting) && isConnectionLost(reason);
      isBroken = isLost || isStalePlan(reason) || !(await rollBack(statements));
      if (gaveWay(reason) || isStalePlan(reason)) return { state: "gave way", error };
      if (!isLost) return { state: "failed", error };
      const explained = isCommitting
        ? new CommitUnknown(this.description, error)
        : new DatabaseUnavailable(this.description, reason);
      return { state: "failed", error: explained };
    } finally {
      client.release(isBroken);
    }
  }

  #openSession(): Promise<DirectSession> {
    const client = new this.#driver.Client({ ...this.#config, connectionString: this.#directUrl });
    return openDirectSession(client, this.description);
  }

  #proveSessions(): Promise<void> {
    this.#sessionsProved ??= this.#tryProveSessions().catch((error) => {
      this.#sessionsProved = undefined;
      throw error;
    });
    return this.#sessionsProved;
  }

  async #tryProveSessions(): Promise<void> {
    const one = await this.#openSession();
    try {
      const other = await this.#openSession();
      try {
        await proveSessions(one, other, this.description);
      } finally {
        await other.close();
      }
    } finally {
      await one.close();
    }
  }

  #quoted(name: string): string {
    return this.#driver.escapeIdentifier(name);
  }
}

type Outcome<T> =
  | { readonly state: "done"; readonly value: T }
  | { readonly state: "gave way" | "failed"; readonly error: unknown };

function describe(driver: typeof pg, url: string): string {
  // pg applies its defaults and PGHOST and the like.
  const { host, port, database } = new driver.Client({ connectionString: url });
  return `postgres at ${host}:${port}/${database ?? ""}`;
}
