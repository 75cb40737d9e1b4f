import type { DatabaseSync } from "node:sqlite";

/** Something that became of a user. It says who and not what: a user who is deleted leaves nothing of a person behind. */
export interface UserChange {
  /** Rises with every change. */
  readonly seq: number;
  readonly kind: "created" | "updated" | "deleted";
  readonly userId: string;
  readonly atMs: number;
}

/** The changes of the users, in order. The oldest are forgotten. */
export interface UserChanges {
  /** Notes a change; to be called in the transaction that makes it. */
  append(kind: UserChange["kind"], userId: string, atMs: number): UserChange;
  /** Up to `limit` changes with a larger `seq` than `after`, the oldest first. */
  after(after: number, limit: number): UserChange[];
  /** The `seq` of the last change; 0 before the first. */
  last(): number;
  /** Whether all changes behind this one are still there. */
  reachesBackTo(seq: number): boolean;
}

/** Some megabytes; at a change a second, more than a day in which a client may be away. */
const keptByDefault = 100_000;

/** Opens the changes in a database that `userMigrations` have prepared; `maxKept` of them are remembered. */
export function openUserChanges(database: DatabaseSync, maxKept = keptByDefault): UserChanges {
  const columns = 'seq, kind, user_id AS "userId", at_ms AS "atMs"';
  const insert = database.prepare(
    `INSERT INTO user_changes (kind, user_id, at_ms) VALUES (:kind, :userId, :atMs) RETURNING ${columns}`,
  );
  const forget = database.prepare("DELETE FROM user_changes WHERE seq <= :seq");
  const selectAfter = database.prepare(
    `SELECT ${columns} FROM user_changes WHERE seq > :after ORDER BY seq LIMIT :limit`,
  );
  const selectRange = database.prepare(
    "SELECT coalesce(min(seq), 0) AS first, coalesce(max(seq), 0) AS last FROM user_changes",
  );
  const range = () => selectRange.get() as unknown as { readonly first: number; readonly last: number };

  return {
    append(kind, userId, atMs) {
      const change = { ...(insert.get({ kind, userId, atMs }) as unknown as UserChange) };
      forget.run({ seq: change.seq - maxKept });
      return change;
    },
    after: (after, limit) => selectAfter.all({ after, limit }).map((row) => ({ ...(row as unknown as UserChange) })),
    last: () => range().last,
    reachesBackTo(seq) {
      const { first, last } = range();
      // A token of a database that was there before this one may be ahead of it.
      return seq <= last && seq >= first - 1;
    },
  };
}
