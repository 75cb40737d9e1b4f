-- Times are Unix milliseconds.
CREATE TABLE counters (
  name TEXT PRIMARY KEY,
  n    BIGINT NOT NULL
);
INSERT INTO counters (name, n) VALUES ('payments', 0);

CREATE TABLE payments (
  id             TEXT PRIMARY KEY,
  seq            BIGINT NOT NULL UNIQUE,
  -- An order is paid for once.
  order_id       TEXT NOT NULL UNIQUE,
  user_id        TEXT NOT NULL,
  amount_cents   BIGINT NOT NULL,
  state          TEXT NOT NULL CHECK (state IN ('settled', 'declined', 'refunded')),
  decline_reason TEXT NOT NULL,
  create_time_ms BIGINT NOT NULL,
  update_time_ms BIGINT NOT NULL
);
CREATE INDEX payments_by_user ON payments (user_id, seq);

-- down
DROP TABLE payments;
DROP TABLE counters;
