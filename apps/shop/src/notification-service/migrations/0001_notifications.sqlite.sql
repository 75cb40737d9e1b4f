-- Times are Unix milliseconds.
CREATE TABLE counters (
  name TEXT PRIMARY KEY,
  n    INTEGER NOT NULL
) STRICT;
INSERT INTO counters (name, n) VALUES ('notifications', 0);

CREATE TABLE notifications (
  -- The id of the event.
  id             TEXT PRIMARY KEY,
  seq            INTEGER NOT NULL UNIQUE,
  user_id        TEXT NOT NULL,
  kind           TEXT NOT NULL,
  text           TEXT NOT NULL,
  create_time_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX notifications_by_user ON notifications (user_id, seq);

-- down
DROP TABLE notifications;
DROP TABLE counters;
