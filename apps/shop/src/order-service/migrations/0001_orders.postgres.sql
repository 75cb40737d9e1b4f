-- Times are Unix milliseconds.
CREATE TABLE counters (
  name TEXT PRIMARY KEY,
  n    BIGINT NOT NULL
);
INSERT INTO counters (name, n) VALUES ('orders', 0);

CREATE TABLE orders (
  id             TEXT PRIMARY KEY,
  seq            BIGINT NOT NULL UNIQUE,
  user_id        TEXT NOT NULL,
  request_id     TEXT NOT NULL,
  state          TEXT NOT NULL CHECK (state IN ('pending', 'placed', 'cancelled')),
  -- JSON
  items          TEXT NOT NULL,
  total_cents    BIGINT NOT NULL,
  payment_id     TEXT NOT NULL,
  cancel_reason  TEXT NOT NULL,
  create_time_ms BIGINT NOT NULL,
  update_time_ms BIGINT NOT NULL
);
CREATE INDEX orders_by_user ON orders (user_id, seq);
CREATE UNIQUE INDEX orders_by_request ON orders (user_id, request_id) WHERE request_id <> '';
CREATE INDEX orders_pending ON orders (create_time_ms) WHERE state = 'pending';

-- down
DROP TABLE orders;
DROP TABLE counters;
