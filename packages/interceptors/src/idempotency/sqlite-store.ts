import { DatabaseSync, type StatementSync } from "node:sqlite";
import { type OptionsOf, readOptions, text, wallClockOption } from "../call/options.ts";
import type { BeginResult, IdempotencyStore } from "./store.ts";
import { tableOption } from "./table-name.ts";

export const sqliteIdempotencyOptions = {
  /** The path of the file, which is created if it does not exist. Processes on one machine may share it. Required. */
  path: text("a path").required(),
  /** The name of the table, which is created if it does not exist. Default `idempotency_keys`. */
  table: tableOption(),
  /** For tests: milliseconds since 1970, the same for all processes. Default `Date.now`. */
  wallClockMs: wallClockOption(),
};

export type SqliteIdempotencyOptions = OptionsOf<typeof sqliteIdempotencyOptions>;

export interface SqliteIdempotencyStore extends IdempotencyStore {
  /** Closes the file. */
  close(): void;
}

/** How long a statement waits while another process writes. */
const busyTimeoutMs = 5000;
const purgeEveryMs = 60_000;
/** The maximum number of rows in one purge, so that the call that does it is not delayed. */
const purgeRows = 1000;

/**
 * Creates a store in an SQLite file with `node:sqlite`, which survives restarts of the process. Each operation is one short synchronous write.
 *
 * @throws TypeError for unknown options or an invalid table name; Error if the file cannot be opened or is not a database, with the path in its
 * message and SQLite's error as its cause
 */
export function createSqliteIdempotencyStore(options: SqliteIdempotencyOptions): SqliteIdempotencyStore {
  const where = "createSqliteIdempotencyStore";
  const { path, table, wallClockMs } = readOptions(where, sqliteIdempotencyOptions, options);
  try {
    return new SqliteStore(path, table, wallClockMs);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${where}: cannot open ${path}: ${reason}`, { cause: error });
  }
}

class SqliteStore implements SqliteIdempotencyStore {
  private readonly database: DatabaseSync;
  private readonly wallClockMs: () => number;
  private readonly taking: StatementSync;
  private readonly finding: StatementSync;
  private readonly renewing: StatementSync;
  private readonly completing: StatementSync;
  private readonly releasing: StatementSync;
  private readonly purging: StatementSync;
  private purgeAtMs = 0;

  constructor(path: string, table: string, wallClockMs: () => number) {
    this.wallClockMs = wallClockMs;
    const database = openTable(path, table);
    this.database = database;
    this.taking = database.prepare(`INSERT INTO ${table} (key, fingerprint, owner, response, until_ms)
      VALUES (:key, :fingerprint, :owner, NULL, :until)
      ON CONFLICT (key) DO UPDATE SET fingerprint = excluded.fingerprint, owner = excluded.owner, response = NULL,
        until_ms = excluded.until_ms WHERE until_ms <= :now`);
    this.finding = database.prepare(`SELECT fingerprint, response FROM ${table} WHERE key = ?`);
    this.renewing = database.prepare(`UPDATE ${table} SET until_ms = ? WHERE key = ? AND owner = ?`);
    this.completing = database.prepare(
      `UPDATE ${table} SET owner = NULL, response = ?, until_ms = ? WHERE key = ? AND owner = ?`,
    );
    this.releasing = database.prepare(`DELETE FROM ${table} WHERE key = ? AND owner = ?`);
    this.purging = database.prepare(
      `DELETE FROM ${table} WHERE key IN (SELECT key FROM ${table} WHERE until_ms <= ? LIMIT ${purgeRows})`,
    );
  }

  async begin(key: string, fingerprint: string, owner: string, leaseMs: number): Promise<BeginResult> {
    const now = Math.floor(this.wallClockMs());
    this.purge(now);
    for (;;) {
      const taken = this.taking.run({ key, fingerprint, owner, until: now + leaseMs, now });
      if (taken.changes === 1) return { state: "begun" };
      const found = this.finding.get(key);
      // Another process has released the key in between.
      if (found === undefined) continue;
      const { fingerprint: stored, response } = found as { fingerprint: string; response: Uint8Array | null };
      return response === null
        ? { state: "running", fingerprint: stored }
        : { state: "done", fingerprint: stored, response };
    }
  }

  async renew(key: string, owner: string, leaseMs: number): Promise<boolean> {
    return this.renewing.run(Math.floor(this.wallClockMs()) + leaseMs, key, owner).changes === 1;
  }

  async complete(key: string, owner: string, response: Uint8Array, ttlMs: number): Promise<boolean> {
    return this.completing.run(response, Math.floor(this.wallClockMs()) + ttlMs, key, owner).changes === 1;
  }

  async release(key: string, owner: string): Promise<void> {
    this.releasing.run(key, owner);
  }

  close(): void {
    this.database.close();
  }

  private purge(now: number): void {
    if (now < this.purgeAtMs) return;
    // More rows have expired: purge again at the next call.
    const isMore = this.purging.run(now).changes === purgeRows;
    this.purgeAtMs = isMore ? now : now + purgeEveryMs;
  }
}

function openTable(path: string, table: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: busyTimeoutMs });
  try {
    database.exec("PRAGMA journal_mode = WAL");
    database.exec(`CREATE TABLE IF NOT EXISTS ${table} (
      key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, owner TEXT, response BLOB, until_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID`);
    database.exec(`CREATE INDEX IF NOT EXISTS ${table.replace(".", "_")}_until ON ${table} (until_ms)`);
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
}
