/** The schema of users.db, step by step; see openDatabase. */
export const userMigrations: readonly string[] = [
  `CREATE TABLE users (
     seq          INTEGER PRIMARY KEY AUTOINCREMENT,
     id           TEXT NOT NULL UNIQUE,
     name         TEXT NOT NULL,
     email        TEXT NOT NULL,
     name_folded  TEXT NOT NULL,
     email_folded TEXT NOT NULL,
     created_at   INTEGER NOT NULL,
     updated_at   INTEGER NOT NULL
   ) STRICT;
   CREATE UNIQUE INDEX users_by_email ON users (email_folded);`,
  // What user.v1 knows besides. Times were Unix seconds. A role is a number of user.v1.UserRole. Who was created by the package
  // `user` has no password.
  `ALTER TABLE users RENAME COLUMN created_at TO created_at_ms;
   ALTER TABLE users RENAME COLUMN updated_at TO updated_at_ms;
   ALTER TABLE users ADD COLUMN first_name TEXT NOT NULL DEFAULT '';
   ALTER TABLE users ADD COLUMN last_name TEXT NOT NULL DEFAULT '';
   ALTER TABLE users ADD COLUMN role INTEGER NOT NULL DEFAULT 1 CHECK (role IN (1, 2, 3));
   ALTER TABLE users ADD COLUMN password_hash TEXT;
   UPDATE users SET
     created_at_ms = created_at_ms * 1000,
     updated_at_ms = updated_at_ms * 1000,
     first_name = CASE WHEN instr(name, ' ') = 0 THEN name ELSE substr(name, 1, instr(name, ' ') - 1) END,
     last_name = CASE WHEN instr(name, ' ') = 0 THEN '' ELSE ltrim(substr(name, instr(name, ' ') + 1)) END;
   CREATE INDEX users_by_creation ON users (created_at_ms, seq);
   CREATE TABLE user_changes (
     seq     INTEGER PRIMARY KEY AUTOINCREMENT,
     kind    TEXT NOT NULL CHECK (kind IN ('created', 'updated', 'deleted')),
     user_id TEXT NOT NULL,
     at_ms   INTEGER NOT NULL
   ) STRICT;`,
];
