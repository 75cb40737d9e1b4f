import { randomUUID } from "node:crypto";
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { foldCase } from "../storage/fold-case.ts";

/** A user as it is stored. Times are Unix seconds. */
export interface StoredUser {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** The users of the shop. Nothing here throws for a reason the caller caused; such outcomes are values. */
export interface UserStore {
  /** Stores a new user, unless somebody has the e-mail address already, in any case. */
  create(name: string, email: string): StoredUser | "email-taken";
  get(id: string): StoredUser | undefined;
  /** Changes what is given and nothing else. Without changes the user is returned as it is. */
  update(id: string, changes: { name?: string; email?: string }): StoredUser | "not-found" | "email-taken";
  /** Returns whether there was such a user. */
  delete(id: string): boolean;
  /** One page of the matching users, oldest first, and how many match in all. Pages count from 1. */
  list(filter: string, page: number, pageSize: number): { users: StoredUser[]; total: number };
  /**
   * The matching users in batches of at most `batchSize`, oldest first. Users created after the first batch was asked for
   * are left out, so that the iteration ends however fast users arrive. A batch is read when it is asked for.
   */
  batches(filter: string, batchSize: number): Generator<StoredUser[], void, void>;
}

/** The schema, step by step; see openDatabase. */
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
];

const columns = 'seq, id, name, email, created_at AS "createdAt", updated_at AS "updatedAt"';

/** instr finds a text literally, so that % and _ in a filter are ordinary characters; an empty filter is found anywhere. */
const matches = "(instr(name_folded, :filter) > 0 OR instr(email_folded, :filter) > 0)";

/** A row of `columns`. `seq` gives users a stable order: several may be created within one second. */
interface UserRow extends StoredUser {
  readonly seq: number;
}

/**
 * Creates the store over a database that `userMigrations` have prepared.
 *
 * @param nowSeconds The clock, in Unix seconds.
 */
export function createUserStore(
  database: DatabaseSync,
  nowSeconds: () => number = () => Math.floor(Date.now() / 1000),
): UserStore {
  const insert = database.prepare(
    `INSERT INTO users (id, name, email, name_folded, email_folded, created_at, updated_at)
     VALUES (:id, :name, :email, :nameFolded, :emailFolded, :now, :now)
     ON CONFLICT (email_folded) DO NOTHING RETURNING ${columns}`,
  );
  const selectOne = database.prepare(`SELECT ${columns} FROM users WHERE id = :id`);
  // OR IGNORE turns a taken e-mail address into "no row"; no other constraint can be hurt by these values.
  const change = database.prepare(
    `UPDATE OR IGNORE users SET name = :name, email = :email, name_folded = :nameFolded, email_folded = :emailFolded,
     updated_at = :now WHERE id = :id RETURNING ${columns}`,
  );
  const remove = database.prepare("DELETE FROM users WHERE id = :id");
  const count = database.prepare(`SELECT count(*) AS total FROM users WHERE ${matches}`);
  const selectPage = database.prepare(
    `SELECT ${columns} FROM users WHERE ${matches} ORDER BY seq LIMIT :limit OFFSET :offset`,
  );
  const lastSeq = database.prepare("SELECT coalesce(max(seq), 0) AS seq FROM users");
  const selectAfter = database.prepare(
    `SELECT ${columns} FROM users WHERE seq > :after AND seq <= :last AND ${matches} ORDER BY seq LIMIT :limit`,
  );

  const texts = (name: string, email: string): Record<string, SQLInputValue> => ({
    name,
    email,
    nameFolded: foldCase(name),
    emailFolded: foldCase(email),
    now: nowSeconds(),
  });
  const get = (id: string) => toUser(selectOne.get({ id }));

  return {
    create(name, email) {
      return toUser(insert.get({ id: randomUUID(), ...texts(name, email) })) ?? "email-taken";
    },
    get,
    update(id, changes) {
      const user = get(id);
      if (user === undefined) return "not-found";
      if (changes.name === undefined && changes.email === undefined) return user;
      const values = texts(changes.name ?? user.name, changes.email ?? user.email);
      return toUser(change.get({ id, ...values })) ?? "email-taken";
    },
    delete(id) {
      return Number(remove.run({ id }).changes) > 0;
    },
    list(filter, page, pageSize) {
      const folded = foldCase(filter);
      const rows = selectPage.all({ filter: folded, limit: pageSize, offset: (page - 1) * pageSize });
      return {
        users: rows.map((row) => userOf(row as unknown as UserRow)),
        total: Number(count.get({ filter: folded })?.total),
      };
    },
    *batches(filter, batchSize) {
      const folded = foldCase(filter);
      const last = Number(lastSeq.get()?.seq);
      let after = 0;
      while (after < last) {
        const rows = selectAfter.all({ filter: folded, after, last, limit: batchSize }) as unknown as UserRow[];
        if (rows.length > 0) yield rows.map(userOf);
        if (rows.length < batchSize) return;
        after = rows.at(-1)?.seq ?? last;
      }
    },
  };
}

function toUser(row: unknown): StoredUser | undefined {
  return row === undefined ? undefined : userOf(row as UserRow);
}

function userOf(row: UserRow): StoredUser {
  return { id: row.id, name: row.name, email: row.email, createdAt: row.createdAt, updatedAt: row.updatedAt };
}
