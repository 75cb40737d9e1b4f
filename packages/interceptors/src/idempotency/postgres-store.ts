import { flag, type OptionsOf, readOptions, withMethods } from "../call/options.ts";
import type { BeginResult, IdempotencyStore } from "./store.ts";
import { tableOption } from "./table-name.ts";

/** The members of a Pool (or Client) of the package `pg` that are used. */
export interface PostgresQueries {
  query(
    text: string,
    values?: unknown[],
  ): Promise<{ readonly rows: readonly unknown[]; readonly rowCount: number | null }>;
}

export const postgresIdempotencyOptions = {
  /** The application's pool of the package `pg`. The store never closes it. Required. */
  pool: withMethods<PostgresQueries>("a pool of the package pg", "query").required(),
  /** The name of the table. Default `idempotency_keys`. */
  table: tableOption(),
  /** Whether to create the table at the first use. Default true. Set false if a migration creates it with `postgresIdempotencySchema`. */
  createTable: flag().or(true),
};

export type PostgresIdempotencyOptions = OptionsOf<typeof postgresIdempotencyOptions>;

const purgeEveryMs = 60_000;
const purgeRows = 1000;
/** The advisory lock for creating the table: PostgreSQL reports an error when two instances do that at once. */
const schemaLock = 7_381_950_116;

/** Returns the SQL that creates the table, for a migration. */
export function postgresIdempotencySchema(table?: string): string {
  const given = table === undefined ? {} : { table };
  const { table: name } = readOptions("postgresIdempotencySchema", { table: tableOption() }, given);
  return `CREATE TABLE IF NOT EXISTS ${name} (
  key text PRIMARY KEY,
  fingerprint text NOT NULL,
  owner text,
  response bytea,
  expires_at timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS ${name.replace(".", "_")}_expires_at ON ${name} (expires_at);`;
}

/**
 * Creates a store in PostgreSQL, for services with several instances. Times are those of the database's clock.
 *
 * @throws TypeError for unknown options or an invalid table name
 */
export function createPostgresIdempotencyStore(options: PostgresIdempotencyOptions): IdempotencyStore {
  const settings = readOptions("createPostgresIdempotencyStore", postgresIdempotencyOptions, options);
  return new PostgresStore(settings.pool, settings.table, settings.createTable);
}

const fromNow = (parameter: string): string => `clock_timestamp() + ${parameter}::float8 * interval '1 millisecond'`;

class PostgresStore implements IdempotencyStore {
  private readonly pool: PostgresQueries;
  private readonly table: string;
  private made: Promise<unknown> | undefined;
  private readonly makesTable: boolean;
  private purgeAtMs = 0;

  constructor(pool: PostgresQueries, table: string, makesTable: boolean) {
    this.pool = pool;
    this.table = table;
    this.makesTable = makesTable;
  }

  async begin(key: string, fingerprint: string, owner: string, leaseMs: number): Promise<BeginResult> {
    if (this.makesTable) await this.makeTable();
    await this.purge();
    const { table } = this;
    for (;;) {
      const taken = await this.pool.query(
        `INSERT INTO ${table} AS held (key, fingerprint, owner, response, expires_at)
         VALUES ($1, $2, $3, NULL, ${fromNow("$4")})
         ON CONFLICT (key) DO UPDATE SET fingerprint = excluded.fingerprint, owner = excluded.owner, response = NULL,
           expires_at = excluded.expires_at WHERE held.expires_at <= clock_timestamp()`,
        [key, fingerprint, owner, leaseMs],
      );
      if (taken.rowCount === 1) return { state: "begun" };
      const { rows } = await this.pool.query(`SELECT fingerprint, response FROM ${table} WHERE key = $1`, [key]);
      const found = rows[0] as { fingerprint: string; response: Uint8Array | null } | undefined;
      // Another instance has released the key in between.
      if (found === undefined) continue;
      if (found.response === null) return { state: "running", fingerprint: found.fingerprint };
      return { state: "done", fingerprint: found.fingerprint, response: found.response };
    }
  }

  async renew(key: string, owner: string, leaseMs: number): Promise<boolean> {
    const text = `UPDATE ${this.table} SET expires_at = ${fromNow("$3")} WHERE key = $1 AND owner = $2`;
    return (await this.pool.query(text, [key, owner, leaseMs])).rowCount === 1;
  }

  async complete(key: string, owner: string, response: Uint8Array, ttlMs: number): Promise<boolean> {
    const text = `UPDATE ${this.table} SET owner = NULL, response = $3, expires_at = ${fromNow("$4")} WHERE key = $1 AND owner = $2`;
    return (await this.pool.query(text, [key, owner, Buffer.from(response), ttlMs])).rowCount === 1;
  }

  async release(key: string, owner: string): Promise<void> {
    await this.pool.query(`DELETE FROM ${this.table} WHERE key = $1 AND owner = $2`, [key, owner]);
  }

  private makeTable(): Promise<unknown> {
    // Several statements in one query are one transaction, which holds the lock until its end.
    const text = `SELECT pg_advisory_xact_lock(${schemaLock}); ${postgresIdempotencySchema(this.table)}`;
    this.made ??= this.pool.query(text).catch((error) => {
      this.made = undefined;
      throw error;
    });
    return this.made;
  }

  private async purge(): Promise<void> {
    const nowMs = performance.now();
    if (nowMs < this.purgeAtMs) return;
    this.purgeAtMs = nowMs + purgeEveryMs;
    const { table } = this;
    const purged = await this.pool.query(
      `DELETE FROM ${table} WHERE key IN (
         SELECT key FROM ${table} WHERE expires_at <= clock_timestamp() LIMIT ${purgeRows} FOR UPDATE SKIP LOCKED)`,
    );
    // More rows have expired: purge again at the next call.
    if (purged.rowCount === purgeRows) this.purgeAtMs = nowMs;
  }
}
