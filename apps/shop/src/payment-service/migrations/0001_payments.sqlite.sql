-- Times are Unix milliseconds.
CREATE TABLE counters (
  name TEXT PRIMARY KEY,
  n    INTEGER NOT NULL
) STRICT;
INSERT INTO counters (name, n) VALUES ('payments', 0);

CREATE TABLE payments (
  id             TEXT PRIMARY KEY,
  seq            INTEGER NOT NULL UNIQUE,
  -- An order is paid for once.
  order_id       TEXT NOT NULL UNIQUE,
  user_id        TEXT NOT NULL,
  amount_cents   INTEGER NOT NULL,
  state          TEXT NOT NULL CHECK (state IN ('settled', 'declined', 'refunded')),
  decline_reason TEXT NOT NULL,
  create_time_ms INTEGER NOT NULL,
  update_time_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX payments_by_user ON payments (user_id, seq);

-- down
DROP TABLE payments;
DROP TABLE counters;
