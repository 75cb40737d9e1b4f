/** States of a delivery: blocked by an earlier one of its key, ready, or delayed until its next attempt. */
export const blocked = 0;
export const ready = 1;
export const delayed = 2;

/**
 * The schema of the log. `deliveries` has a row for each group that has not settled an event; an event without deliveries is deleted, unless its topic
 * has no groups yet.
 */
export const logSchema = `
CREATE TABLE IF NOT EXISTS events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  topic TEXT NOT NULL,
  event_key TEXT NOT NULL,
  payload BLOB NOT NULL,
  trace_parent TEXT NOT NULL,
  published_ms INTEGER NOT NULL,
  reason TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX IF NOT EXISTS events_topic ON events (topic, seq);
CREATE TABLE IF NOT EXISTS subscriptions (
  id INTEGER PRIMARY KEY,
  topic TEXT NOT NULL,
  group_name TEXT NOT NULL,
  seen_ms INTEGER NOT NULL,
  UNIQUE (topic, group_name)
) STRICT;
CREATE TABLE IF NOT EXISTS deliveries (
  subscription INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  event_key TEXT NOT NULL,
  state INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (subscription, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS deliveries_state ON deliveries (subscription, state, seq);
CREATE INDEX IF NOT EXISTS deliveries_key ON deliveries (subscription, event_key, seq) WHERE event_key <> '';
CREATE INDEX IF NOT EXISTS deliveries_seq ON deliveries (seq);
UPDATE deliveries SET state = ${ready} WHERE state = ${delayed};
`;
