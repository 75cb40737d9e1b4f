import type { Clock } from "@tercel/grpc";
import type { BeginResult, IdempotencyStore } from "@tercel/interceptors/idempotency";
import sql, { raw, type Sql } from "sql-template-tag";
import type { Database, Dialect } from "../database/database.ts";
import { ensureTables } from "../database/ensure-tables.ts";

const table = "tercel_idempotency";
const purgeEveryMs = 60_000;
/** Number of expired rows that one call deletes. */
const purgeRows = 1000;

const tables: Readonly<Record<Dialect, string>> = {
  sqlite: `CREATE TABLE IF NOT EXISTS ${table} (
  key TEXT PRIMARY KEY,
  fingerprint TEXT NOT NULL,
  owner TEXT,
  response BLOB,
  until_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS ${table}_until ON ${table} (until_ms);`,
  postgres: `CREATE TABLE IF NOT EXISTS ${table} (
  key text PRIMARY KEY,
  fingerprint text NOT NULL,
  owner text,
  response bytea,
  until_ms bigint NOT NULL
);
CREATE INDEX IF NOT EXISTS ${table}_until ON ${table} (until_ms);`,
};

/** The database's time in milliseconds since 1970, because the clocks of its clients differ. */
const nowMs: Readonly<Record<Dialect, Sql>> = {
  sqlite: raw("CAST(unixepoch('subsec') * 1000 AS INTEGER)"),
  postgres: raw("CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)"),
};

/** Skips rows that another process is deleting. */
const skipLocked: Readonly<Record<Dialect, Sql>> = { sqlite: raw(""), postgres: raw("FOR UPDATE SKIP LOCKED") };

/**
 * Opens a store of idempotency keys in a database of the service, in the table `tercel_idempotency`, which is created if it is missing.
 *
 * Rejects when the table can be neither found nor created.
 */
export async function openDatabaseKeyStore(
  database: Database,
  { clock, signal }: { readonly clock: Clock; readonly signal?: AbortSignal },
): Promise<IdempotencyStore> {
  await ensureTables(database, [table], tables[database.dialect], signal);
  return new DatabaseKeyStore(database, clock);
}

class DatabaseKeyStore implements IdempotencyStore {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #now: Sql;
  #purgeAtMs = 0;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
    this.#now = nowMs[database.dialect];
  }

  async begin(key: string, fingerprint: string, owner: string, leaseMs: number): Promise<BeginResult> {
    await this.#purge();
    for (;;) {
      const { changes } = await this.#database.run(sql`INSERT INTO tercel_idempotency
          (key, fingerprint, owner, response, until_ms)
        VALUES (${key}, ${fingerprint}, ${owner}, NULL, ${this.#after(leaseMs)})
        ON CONFLICT (key) DO UPDATE SET fingerprint = excluded.fingerprint, owner = excluded.owner, response = NULL,
          until_ms = excluded.until_ms
        WHERE tercel_idempotency.until_ms <= ${this.#now}`);
      if (changes === 1) return { state: "begun" };
      const found = await this.#database.first<{ fingerprint: string; response: Uint8Array | null }>(
        sql`SELECT fingerprint, response FROM tercel_idempotency WHERE key = ${key}`,
      );
      // Another process released it in between.
      if (found === undefined) continue;
      const { fingerprint: stored, response } = found;
      return response === null
        ? { state: "running", fingerprint: stored }
        : { state: "done", fingerprint: stored, response };
    }
  }

  async renew(key: string, owner: string, leaseMs: number): Promise<boolean> {
    return this.#changesOne(sql`UPDATE tercel_idempotency SET until_ms = ${this.#after(leaseMs)}
      WHERE key = ${key} AND owner = ${owner}`);
  }

  async complete(key: string, owner: string, response: Uint8Array, ttlMs: number): Promise<boolean> {
    return this.#changesOne(sql`UPDATE tercel_idempotency
      SET owner = NULL, response = ${response}, until_ms = ${this.#after(ttlMs)}
      WHERE key = ${key} AND owner = ${owner}`);
  }

  async release(key: string, owner: string): Promise<void> {
    await this.#database.run(sql`DELETE FROM tercel_idempotency WHERE key = ${key} AND owner = ${owner}`);
  }

  #after(ms: number): Sql {
    return sql`${this.#now} + CAST(${ms} AS bigint)`;
  }

  async #changesOne(query: Sql): Promise<boolean> {
    return (await this.#database.run(query)).changes === 1;
  }

  async #purge(): Promise<void> {
    const atMs = this.#clock.nowMs();
    if (atMs < this.#purgeAtMs) return;
    this.#purgeAtMs = atMs + purgeEveryMs;
    const { changes } = await this.#database.run(sql`DELETE FROM tercel_idempotency WHERE key IN (
      SELECT key FROM tercel_idempotency WHERE until_ms <= ${this.#now} LIMIT ${purgeRows}
      ${skipLocked[this.#database.dialect]})`);
    // More rows are expired: the next call deletes the next batch.
    if (changes === purgeRows) this.#purgeAtMs = atMs;
  }
}
