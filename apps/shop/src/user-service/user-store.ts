import { randomUUID } from "node:crypto";
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { foldCase } from "../storage/fold-case.ts";
import { inTransaction } from "../storage/open-database.ts";
import type { PersonName } from "./person-name.ts";
import { openUserChanges, type UserChange, type UserChanges } from "./user-changes.ts";
import { type StoredRole, type StoredUser, userColumns, userOf } from "./user-row.ts";

/** A user that is to be created. */
export interface NewUser {
  readonly name: PersonName;
  readonly email: string;
  /** An ordinary user by default. */
  readonly role?: StoredRole;
  /** As `PasswordHash` made it; users of the package `user` have none. */
  readonly passwordHash?: string;
}

/** What is given changes, and nothing else. */
export interface UserChangeset {
  readonly name?: PersonName;
  readonly email?: string;
  readonly role?: StoredRole;
}

/** The users of the shop. Nothing here throws for a reason the caller caused; such outcomes are values. */
export interface UserStore {
  /** Stores a new user, unless somebody has the e-mail address already, in any case. */
  create(user: NewUser): StoredUser | "email-taken";
  get(id: string): StoredUser | undefined;
  /** Whether the address belongs to somebody, in any case. */
  isEmailTaken(email: string): boolean;
  /** Without changes the user is returned as it is. */
  update(id: string, changes: UserChangeset): StoredUser | "not-found" | "email-taken";
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

export interface UserStoreOptions {
  /** The clock, in Unix milliseconds. */
  readonly nowMs?: () => number;
  /** Where changes are noted. */
  readonly changes?: UserChanges;
  /** Told of each change once it is stored. */
  readonly onChange?: (change: UserChange) => void;
}

/** instr finds a text literally, so that % and _ in a filter are ordinary characters; an empty filter is found anywhere. */
const matches = "(instr(name_folded, :filter) > 0 OR instr(email_folded, :filter) > 0)";

/** Creates the store over a database that `userMigrations` have prepared. */
export function createUserStore(database: DatabaseSync, options: UserStoreOptions = {}): UserStore {
  const { nowMs = Date.now, changes = openUserChanges(database), onChange } = options;
  const insert = database.prepare(
    `INSERT INTO users (id, name, first_name, last_name, email, role, password_hash, name_folded, email_folded,
       created_at_ms, updated_at_ms)
     VALUES (:id, :name, :firstName, :lastName, :email, :role, :passwordHash, :nameFolded, :emailFolded, :now, :now)
     ON CONFLICT (email_folded) DO NOTHING RETURNING ${userColumns}`,
  );
  const selectOne = database.prepare(`SELECT ${userColumns} FROM users WHERE id = :id`);
  const selectByEmail = database.prepare("SELECT 1 FROM users WHERE email_folded = :emailFolded");
  // OR IGNORE turns a taken e-mail address into "no row"; these values cannot violate any other constraint. The clock may be set back, and
  // a user is never updated before it was created, or before its last update.
  const change = database.prepare(
    `UPDATE OR IGNORE users SET name = :name, first_name = :firstName, last_name = :lastName, email = :email, role = :role,
       name_folded = :nameFolded, email_folded = :emailFolded,
       updated_at_ms = max(:now, created_at_ms, updated_at_ms)
     WHERE id = :id RETURNING ${userColumns}`,
  );
  const remove = database.prepare(
    'DELETE FROM users WHERE id = :id RETURNING max(:now, created_at_ms, updated_at_ms) AS "deletedAtMs"',
  );
  const count = database.prepare(`SELECT count(*) AS total FROM users WHERE ${matches}`);
  const selectPage = database.prepare(
    `SELECT ${userColumns} FROM users WHERE ${matches} ORDER BY seq LIMIT :limit OFFSET :offset`,
  );
  const lastSeq = database.prepare("SELECT coalesce(max(seq), 0) AS seq FROM users");
  const selectAfter = database.prepare(
    `SELECT ${userColumns} FROM users WHERE seq > :after AND seq <= :last AND ${matches} ORDER BY seq LIMIT :limit`,
  );

  const get = (id: string) => optional(selectOne.get({ id }));

  /** Stores what `write` does together with the note that it happened, and tells of it afterwards. */
  function changing<Result>(kind: UserChange["kind"], write: () => Written<Result>): Result {
    let noted: UserChange | undefined;
    const written = inTransaction(database, () => {
      const outcome = write();
      if (outcome.changed !== undefined) noted = changes.append(kind, outcome.changed.userId, outcome.changed.atMs);
      return outcome;
    });
    if (noted !== undefined) onChange?.(noted);
    return written.result;
  }

  return {
    create({ name, email, role = 1, passwordHash }) {
      return changing<StoredUser | "email-taken">("created", () => {
        const id = randomUUID();
        const values = { id, role, passwordHash: passwordHash ?? null, ...texts(name, email), now: nowMs() };
        const user = optional(insert.get(values));
        return user === undefined
          ? { result: "email-taken" }
          : { result: user, changed: { userId: user.id, atMs: user.createdAtMs } };
      });
    },
    get,
    isEmailTaken: (email) => selectByEmail.get({ emailFolded: foldCase(email) }) !== undefined,
    update(id, { name, email, role }) {
      return changing<StoredUser | "not-found" | "email-taken">("updated", () => {
        const before = get(id);
        if (before === undefined) return { result: "not-found" };
        if (name === undefined && email === undefined && role === undefined) return { result: before };
        const names = name ?? { full: before.name, first: before.firstName, last: before.lastName };
        const values = { id, role: role ?? before.role, ...texts(names, email ?? before.email), now: nowMs() };
        const user = optional(change.get(values));
        return user === undefined
          ? { result: "email-taken" }
          : { result: user, changed: { userId: id, atMs: user.updatedAtMs } };
      });
    },
    delete(id) {
      return changing("deleted", () => {
        const removed = remove.get({ id, now: nowMs() }) as { readonly deletedAtMs: number } | undefined;
        if (removed === undefined) return { result: false };
        return { result: true, changed: { userId: id, atMs: removed.deletedAtMs } };
      });
    },
    list(filter, page, pageSize) {
      const folded = foldCase(filter);
      const rows = selectPage.all({ filter: folded, limit: pageSize, offset: (page - 1) * pageSize });
      return { users: rows.map(userOf), total: Number(count.get({ filter: folded })?.total) };
    },
    *batches(filter, batchSize) {
      const folded = foldCase(filter);
      const last = Number(lastSeq.get()?.seq);
      let after = 0;
      while (after < last) {
        const users = selectAfter.all({ filter: folded, after, last, limit: batchSize }).map(userOf);
        if (users.length > 0) yield users;
        if (users.length < batchSize) return;
        after = users.at(-1)?.seq ?? last;
      }
    },
  };
}

/** What a write has done: its result, and the user that it has changed, if there is one. */
interface Written<Result> {
  readonly result: Result;
  /** The time is the one that is stored with the user. */
  readonly changed?: { readonly userId: string; readonly atMs: number };
}

function texts(name: PersonName, email: string): Record<string, SQLInputValue> {
  return {
    name: name.full,
    firstName: name.first,
    lastName: name.last,
    email,
    nameFolded: foldCase(name.full),
    emailFolded: foldCase(email),
  };
}

function optional(row: unknown): StoredUser | undefined {
  return row === undefined ? undefined : userOf(row);
}
