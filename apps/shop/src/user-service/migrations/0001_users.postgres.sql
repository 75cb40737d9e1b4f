-- Times are Unix milliseconds.
CREATE TABLE counters (
  name TEXT PRIMARY KEY,
  n    BIGINT NOT NULL
);
INSERT INTO counters (name, n) VALUES ('user_changes', 0);

CREATE TABLE users (
  id            TEXT PRIMARY KEY,
  -- The change that made the user: users of one millisecond have an order.
  seq           BIGINT NOT NULL UNIQUE,
  name          TEXT NOT NULL,
  first_name    TEXT NOT NULL,
  last_name     TEXT NOT NULL,
  email         TEXT NOT NULL,
  name_folded   TEXT NOT NULL,
  email_folded  TEXT NOT NULL,
  -- Numbers of user.v1.UserRole and api.user.v1.UserStatus.
  role          INTEGER NOT NULL CHECK (role IN (1, 2, 3)),
  status        INTEGER NOT NULL CHECK (status IN (1, 2, 3, 4)),
  -- Only users of user.v1 have one.
  password_hash TEXT,
  -- JSON: a map of texts, and an api.user.v1.UserProfile.
  metadata      TEXT NOT NULL,
  profile       TEXT,
  created_at_ms BIGINT NOT NULL,
  updated_at_ms BIGINT NOT NULL
);
CREATE UNIQUE INDEX users_by_email ON users (email_folded);
CREATE INDEX users_by_creation ON users (created_at_ms, seq);

-- What became of whom, and nothing about the person: a user who is deleted leaves no trace.
CREATE TABLE user_changes (
  seq     BIGINT PRIMARY KEY,
  kind    TEXT NOT NULL CHECK (kind IN ('created', 'updated', 'deleted')),
  user_id TEXT NOT NULL,
  -- Of an update: the columns that changed, with commas between.
  fields  TEXT NOT NULL,
  at_ms   BIGINT NOT NULL
);

-- Responses to creations that carried a key, so that a repetition gets the same. Written in the transaction of the creation.
CREATE TABLE idempotency_keys (
  key_digest  TEXT PRIMARY KEY,
  fingerprint TEXT NOT NULL,
  response    TEXT NOT NULL,
  at_ms       BIGINT NOT NULL
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (at_ms);

-- down
DROP TABLE idempotency_keys;
DROP TABLE user_changes;
DROP TABLE users;
DROP TABLE counters;
