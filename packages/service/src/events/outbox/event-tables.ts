import type { Database, Dialect } from "../../database/database.ts";
import { ensureTables } from "../../database/ensure-tables.ts";

/**
 * `tercel_outbox_parked` holds what the stream refused for good. `id` gives the order of sending. It is not a cursor: with PostgreSQL numbers are committed out of order, so what has been sent is deleted
 * instead.
 */
const tables: Readonly<Record<Dialect, string>> = {
  sqlite: `CREATE TABLE IF NOT EXISTS tercel_outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  event_id TEXT NOT NULL,
  topic TEXT NOT NULL,
  event_key TEXT NOT NULL,
  payload BLOB NOT NULL,
  trace_parent TEXT NOT NULL,
  published_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS tercel_outbox_parked (
  id INTEGER PRIMARY KEY,
  event_id TEXT NOT NULL,
  topic TEXT NOT NULL,
  event_key TEXT NOT NULL,
  payload BLOB NOT NULL,
  trace_parent TEXT NOT NULL,
  published_ms INTEGER NOT NULL,
  parked_ms INTEGER NOT NULL,
  reason TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS tercel_inbox (
  group_name TEXT NOT NULL,
  event_id TEXT NOT NULL,
  handled_ms INTEGER NOT NULL,
  PRIMARY KEY (group_name, event_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tercel_inbox_handled ON tercel_inbox (handled_ms);`,
  postgres: `CREATE TABLE IF NOT EXISTS tercel_outbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  event_id text NOT NULL,
  topic text NOT NULL,
  event_key text NOT NULL,
  payload bytea NOT NULL,
  trace_parent text NOT NULL,
  published_ms bigint NOT NULL
);
CREATE TABLE IF NOT EXISTS tercel_outbox_parked (
  id bigint PRIMARY KEY,
  event_id text NOT NULL,
  topic text NOT NULL,
  event_key text NOT NULL,
  payload bytea NOT NULL,
  trace_parent text NOT NULL,
  published_ms bigint NOT NULL,
  parked_ms bigint NOT NULL,
  reason text NOT NULL
);
CREATE TABLE IF NOT EXISTS tercel_inbox (
  group_name text NOT NULL,
  event_id text NOT NULL,
  handled_ms bigint NOT NULL,
  PRIMARY KEY (group_name, event_id)
);
CREATE INDEX IF NOT EXISTS tercel_inbox_handled ON tercel_inbox (handled_ms);`,
};

/** Returns the SQL that creates the tables of events, for services that create them in a migration. */
export function eventTablesSql(dialect: Dialect): string {
  return tables[dialect];
}

/** Creates missing tables of events; needs the right to create tables only if some are missing. */
export function createEventTables(database: Database, signal?: AbortSignal): Promise<void> {
  return ensureTables(database, tableNames, tables[database.dialect], signal);
}

const tableNames = ["tercel_outbox", "tercel_outbox_parked", "tercel_inbox"];
