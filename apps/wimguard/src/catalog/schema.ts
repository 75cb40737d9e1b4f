/**
 * Statements that migrate version n of the catalogue to n + 1; `PRAGMA user_version` is the number applied. Never edit an entry that was
 * released; append new ones.
 */
export const migrations: readonly string[] = [
  `CREATE TABLE backups (
     seq INTEGER PRIMARY KEY AUTOINCREMENT,
     uuid TEXT NOT NULL UNIQUE,
     name TEXT NOT NULL,
     source TEXT NOT NULL,
     destination TEXT NOT NULL,
     engine TEXT NOT NULL,
     compression TEXT NOT NULL,
     description TEXT NOT NULL,
     state TEXT NOT NULL CHECK (state IN ('in_progress', 'publishing', 'completed', 'failed', 'cancelled', 'deleting')),
     part_path TEXT,
     part_device TEXT,
     has_reservation INTEGER NOT NULL DEFAULT 0,
     size INTEGER NOT NULL DEFAULT 0,
     files INTEGER NOT NULL DEFAULT 0,
     stored_bytes INTEGER NOT NULL DEFAULT 0,
     sha256 TEXT NOT NULL DEFAULT '',
     device TEXT NOT NULL DEFAULT '',
     inode TEXT NOT NULL DEFAULT '',
     mtime_ns TEXT NOT NULL DEFAULT '',
     warnings TEXT NOT NULL DEFAULT '[]',
     warning_count INTEGER NOT NULL DEFAULT 0,
     failure TEXT,
     created_at_ms INTEGER NOT NULL,
     ended_at_ms INTEGER
   ) STRICT;
   CREATE INDEX backups_by_destination ON backups (destination, state);
   CREATE TABLE restores (
     seq INTEGER PRIMARY KEY AUTOINCREMENT,
     uuid TEXT NOT NULL UNIQUE,
     backup_uuid TEXT NOT NULL,
     target TEXT NOT NULL,
     state TEXT NOT NULL CHECK (state IN ('in_progress', 'completed', 'failed', 'cancelled')),
     staging_path TEXT,
     staging_device TEXT,
     files INTEGER NOT NULL DEFAULT 0,
     bytes INTEGER NOT NULL DEFAULT 0,
     verified_files INTEGER NOT NULL DEFAULT 0,
     warnings TEXT NOT NULL DEFAULT '[]',
     warning_count INTEGER NOT NULL DEFAULT 0,
     failure TEXT,
     created_at_ms INTEGER NOT NULL,
     ended_at_ms INTEGER
   ) STRICT;`,
  `ALTER TABLE backups ADD COLUMN tags TEXT NOT NULL DEFAULT '{}';
   ALTER TABLE backups ADD COLUMN is_pinned INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE backups ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
   ALTER TABLE backups ADD COLUMN verified_at_ms INTEGER;
   ALTER TABLE backups ADD COLUMN drilled_at_ms INTEGER;
   ALTER TABLE backups ADD COLUMN purge_at_ms INTEGER;
   ALTER TABLE backups ADD COLUMN is_damaged INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE backups ADD COLUMN env_uuid TEXT NOT NULL DEFAULT '';
   ALTER TABLE backups ADD COLUMN schedule_uuid TEXT NOT NULL DEFAULT '';
   ALTER TABLE backups ADD COLUMN rules TEXT NOT NULL DEFAULT '';
   CREATE INDEX backups_by_source ON backups (source, state);
   CREATE INDEX backups_by_time ON backups (created_at_ms);`,
  `CREATE TABLE envs (
     seq INTEGER PRIMARY KEY AUTOINCREMENT,
     uuid TEXT NOT NULL UNIQUE,
     request_id TEXT UNIQUE,
     digest TEXT NOT NULL,
     host TEXT NOT NULL,
     os TEXT NOT NULL,
     content TEXT NOT NULL,
     created_at_ms INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX envs_by_digest ON envs (digest);`,
  `CREATE TABLE sources (
     seq INTEGER PRIMARY KEY AUTOINCREMENT,
     uuid TEXT NOT NULL UNIQUE,
     request_id TEXT UNIQUE,
     request_digest TEXT,
     name TEXT NOT NULL UNIQUE,
     path TEXT NOT NULL,
     excludes TEXT NOT NULL,
     one_file_system INTEGER NOT NULL,
     revision INTEGER NOT NULL DEFAULT 1
   ) STRICT;
   CREATE TABLE destinations (
     seq INTEGER PRIMARY KEY AUTOINCREMENT,
     uuid TEXT NOT NULL UNIQUE,
     request_id TEXT UNIQUE,
     request_digest TEXT,
     name TEXT NOT NULL UNIQUE,
     engine TEXT NOT NULL,
     url TEXT NOT NULL,
     template TEXT NOT NULL,
     revision INTEGER NOT NULL DEFAULT 1
   ) STRICT;`,
  `ALTER TABLE backups ADD COLUMN archive_id TEXT NOT NULL DEFAULT '';
   ALTER TABLE backups ADD COLUMN image INTEGER NOT NULL DEFAULT 1;
   ALTER TABLE backups ADD COLUMN added_bytes INTEGER NOT NULL DEFAULT 0;
   UPDATE backups SET archive_id = uuid, added_bytes = stored_bytes;
   CREATE INDEX backups_by_archive ON backups (archive_id);
   ALTER TABLE destinations ADD COLUMN is_append INTEGER NOT NULL DEFAULT 0;`,
  `CREATE TABLE runs (
     seq INTEGER PRIMARY KEY AUTOINCREMENT,
     uuid TEXT NOT NULL UNIQUE,
     request_id TEXT UNIQUE,
     request_digest TEXT,
     kind TEXT NOT NULL,
     state TEXT NOT NULL,
     schedule_uuid TEXT NOT NULL,
     subject_uuid TEXT NOT NULL,
     bytes INTEGER NOT NULL DEFAULT 0,
     stored_bytes INTEGER NOT NULL DEFAULT 0,
     files INTEGER NOT NULL DEFAULT 0,
     warnings TEXT NOT NULL DEFAULT '[]',
     warning_count INTEGER NOT NULL DEFAULT 0,
     failure TEXT,
     message TEXT NOT NULL DEFAULT '',
     revision INTEGER NOT NULL,
     created_at_ms INTEGER NOT NULL,
     started_at_ms INTEGER,
     ended_at_ms INTEGER
   ) STRICT;
   CREATE INDEX runs_by_schedule ON runs (schedule_uuid, created_at_ms);
   CREATE INDEX runs_by_time ON runs (created_at_ms);
   CREATE TABLE schedules (
     seq INTEGER PRIMARY KEY AUTOINCREMENT,
     uuid TEXT NOT NULL UNIQUE,
     request_id TEXT UNIQUE,
     request_digest TEXT,
     name TEXT NOT NULL UNIQUE,
     revision INTEGER NOT NULL DEFAULT 1,
     body TEXT NOT NULL,
     is_paused INTEGER NOT NULL
   ) STRICT;
   CREATE TABLE occurrences (
     schedule_uuid TEXT NOT NULL,
     kind TEXT NOT NULL,
     at_ms INTEGER NOT NULL,
     PRIMARY KEY (schedule_uuid, kind, at_ms)
   ) STRICT, WITHOUT ROWID;`,
  `CREATE TABLE outbox (
     seq INTEGER PRIMARY KEY AUTOINCREMENT,
     target TEXT NOT NULL,
     body TEXT NOT NULL,
     attempts INTEGER NOT NULL DEFAULT 0,
     created_at_ms INTEGER NOT NULL,
     next_at_ms INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX outbox_by_time ON outbox (next_at_ms);`,
  `CREATE TABLE uploads (
     uuid TEXT PRIMARY KEY,
     part_path TEXT NOT NULL,
     part_device TEXT NOT NULL
   ) STRICT;`,
  `ALTER TABLE backups ADD COLUMN root TEXT NOT NULL DEFAULT '';
   ALTER TABLE destinations ADD COLUMN secret_ref TEXT NOT NULL DEFAULT '';
   CREATE TABLE repositories (
     destination TEXT PRIMARY KEY,
     forgotten_at_ms INTEGER,
     pruned_at_ms INTEGER
   ) STRICT;`,
  `CREATE TABLE run_logs (
     seq INTEGER PRIMARY KEY AUTOINCREMENT,
     run_uuid TEXT NOT NULL,
     at_ms INTEGER NOT NULL,
     level TEXT NOT NULL CHECK (level IN ('info', 'warning', 'error')),
     message TEXT NOT NULL
   ) STRICT;
   CREATE INDEX run_logs_by_run ON run_logs (run_uuid, seq);`,
];
