import { randomUUID } from "node:crypto";
import { type Database, sql, type Transaction, UniqueViolation } from "@tercel/service";
import type { FeedSource } from "@tercel/service/feed";
import { UserCreatedSchema } from "../../gen/shop/events/v1/events_pb.ts";
import { CreateOrderRequestSchema } from "../../gen/shop/order/v1/order_pb.ts";
import { nextSeq } from "../../shared/next-seq.ts";
import { welcomeOrder } from "../welcome-order.ts";
import { claimKey, type IdempotencyClaim } from "./idempotency-keys.ts";
import type { PersonName } from "./person-name.ts";
import { foldCase, type StoredRole, type StoredStatus, type StoredUser, userColumns } from "./user-row.ts";

/** A user to create. */
export interface NewUser {
  /** Default: generated. */
  readonly id?: string;
  readonly name: PersonName;
  readonly email: string;
  /** Default 1: user. */
  readonly role?: StoredRole;
  /** Default 1: active. */
  readonly status?: StoredStatus;
  readonly metadata?: string;
  readonly profile?: string | null;
  /** From `PasswordHash`. Only users of `user.v1` have one. */
  readonly passwordHash?: string;
}

/** Only the fields that are set change. */
export type UserChangeset = Partial<Pick<NewUser, "name" | "email" | "role" | "status" | "metadata" | "profile">>;

/** A change of a user. It has no personal data, so that nothing of a deleted user remains. */
export interface UserChange {
  /** Increases with every change. */
  readonly seq: number;
  readonly kind: "created" | "updated" | "deleted";
  readonly userId: string;
  /** For an update, the keys of `UserChangeset` that changed. */
  readonly fields: readonly string[];
  readonly atMs: number;
}

/** A failure that the caller caused. */
export type Refusal = "email-taken" | "id-taken" | "not-found";

/** The users of the shop. Failures that the caller caused are return values, not rejections, except for idempotency keys. */
export interface UserStore {
  /**
   * Stores a new user with its change, its event and its welcome order. With a claim, a retry
   * gets the user that was stored first.
   *
   * Rejects with FAILED_PRECONDITION if the key of the claim belongs to another request.
   */
  create(user: NewUser, claim?: IdempotencyClaim): Promise<Created | Refusal>;
  get(id: string): Promise<StoredUser | undefined>;
  /** Returns whether the address belongs to a user, regardless of case. */
  isEmailTaken(email: string): Promise<boolean>;
  /** Returns the user unchanged if there are no changes. */
  update(id: string, changes: UserChangeset): Promise<StoredUser | Refusal>;
  /** Returns whether the user existed. */
  delete(id: string): Promise<boolean>;
  /** Returns a page of the matching users, oldest first, and the number of all matches. Pages count from 1. */
  list(
    filter: string,
    page: number,
    pageSize: number,
  ): Promise<{ readonly users: StoredUser[]; readonly total: number }>;
  /**
   * Yields the matching users in batches, oldest first. Users that are created after the first batch was read are omitted, so the
   * iteration ends even if many users are created.
   */
  batches(filter: string, batchSize: number): AsyncGenerator<StoredUser[], void, void>;
  readonly changes: FeedSource<UserChange>;
}

export interface Created {
  readonly user: StoredUser;
  /** Whether an earlier call with the same key created the user. */
  readonly isReplayed: boolean;
}

export interface UserStoreOptions {
  /** The clock, in Unix milliseconds. Default `Date.now`. */
  readonly nowMs?: () => number;
  /** The number of stored changes. Default 100,000: at one per second, a client may be away for more than a day. */
  readonly maxKept?: number;
  /** Called and awaited after each commit that changed a user. */
  readonly onChange?: (userId: string) => void | Promise<void>;
}

const changeCounter = "user_changes";

/** Creates the store over a database with the migrations of this service. */
export function createUserStore(database: Database, options: UserStoreOptions = {}): UserStore {
  const { nowMs = Date.now, maxKept = 100_000, onChange } = options;

  const get = (id: string) => database.first<StoredUser>(sql`SELECT ${userColumns} FROM users WHERE id = ${id}`);

  async function note(tx: Transaction, { seq, kind, userId, fields, atMs }: UserChange): Promise<void> {
    await tx.run(sql`INSERT INTO user_changes (seq, kind, user_id, fields, at_ms)
      VALUES (${seq}, ${kind}, ${userId}, ${fields.join(",")}, ${atMs})`);
    await tx.run(sql`DELETE FROM user_changes WHERE seq <= ${seq - maxKept}`);
  }

  async function insert(
    tx: Transaction,
    user: NewUser,
    claim: IdempotencyClaim | undefined,
  ): Promise<Created | Refusal> {
    const now = nowMs();
    const { id = randomUUID(), name, email, role = 1, status = 1, passwordHash = null } = user;
    const { metadata = "{}", profile = null } = user;
    const replayed = claim && (await claimKey(tx, claim, now));
    if (replayed !== undefined) return { user: replayed, isReplayed: true };
    // Serializes writers from here on, so that the rows do not change until the commit.
    const seq = await nextSeq(tx, changeCounter);
    const taken = await tx.all<{ id: string }>(
      sql`SELECT id FROM users WHERE email_folded = ${foldCase(email)} OR id = ${id}`,
    );
    if (taken.length > 0) throw new Refused(taken.some((other) => other.id === id) ? "id-taken" : "email-taken");
    await note(tx, { seq, kind: "created", userId: id, fields: [], atMs: now });
    const stored =
      await tx.one<StoredUser>(sql`INSERT INTO users (seq, id, name, first_name, last_name, email, name_folded, email_folded,
        role, status, password_hash, metadata, profile, created_at_ms, updated_at_ms)
      VALUES (${seq}, ${id}, ${name.full}, ${name.first}, ${name.last}, ${email}, ${foldCase(name.full)}, ${foldCase(email)},
        ${role}, ${status}, ${passwordHash}, ${metadata}, ${profile}, ${now}, ${now})
      RETURNING ${userColumns}`);
    await claim?.complete(tx, stored);
    await tx.publish(UserCreatedSchema, { userId: id, name: name.full }, { key: id });
    // If order-service cannot be called now, it gets the order from the event stream.
    await tx.publish(CreateOrderRequestSchema, welcomeOrder(id), { key: id });
    return { user: stored, isReplayed: false };
  }

  async function change(tx: Transaction, id: string, changes: UserChangeset): Promise<StoredUser | Refusal> {
    const seq = await nextSeq(tx, changeCounter);
    const before = await tx.first<StoredUser>(sql`SELECT ${userColumns} FROM users WHERE id = ${id}`);
    if (before === undefined) return "not-found";
    const fields = Object.keys(changes);
    if (fields.length === 0) return before;
    const after = { ...before, ...changes };
    const name = changes.name ?? { full: before.name, first: before.firstName, last: before.lastName };
    // Never before the creation or the last update, even if the clock was set back.
    const now = Math.max(nowMs(), before.createdAtMs, before.updatedAtMs);
    await note(tx, { seq, kind: "updated", userId: id, fields, atMs: now });
    return tx.one<StoredUser>(sql`UPDATE users SET name = ${name.full}, first_name = ${name.first}, last_name = ${name.last},
        name_folded = ${foldCase(name.full)}, email = ${after.email}, email_folded = ${foldCase(after.email)}, role = ${after.role},
        status = ${after.status}, metadata = ${after.metadata}, profile = ${after.profile}, updated_at_ms = ${now}
      WHERE id = ${id} RETURNING ${userColumns}`);
  }

  /** Two simultaneous requests may find the same address free. The unique index decides. */
  async function refusing<Result>(work: () => Promise<Result>): Promise<Result | Refusal> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof Refused) return error.refusal;
      if (error instanceof UniqueViolation) return error.columns.includes("id") ? "id-taken" : "email-taken";
      throw error;
    }
  }

  return {
    async create(user, claim) {
      const created = await refusing(() => database.transaction((tx) => insert(tx, user, claim)));
      if (typeof created === "object" && !created.isReplayed) await onChange?.(created.user.id);
      return created;
    },
    get,
    async isEmailTaken(email) {
      return (
        (await database.first(sql`SELECT 1 AS n FROM users WHERE email_folded = ${foldCase(email)}`)) !== undefined
      );
    },
    async update(id, changes) {
      const updated = await refusing(() => database.transaction((tx) => change(tx, id, changes)));
      if (typeof updated === "object" && Object.keys(changes).length > 0) await onChange?.(id);
      return updated;
    },
    async delete(id) {
      const isGone = await database.transaction(async (tx) => {
        const seq = await nextSeq(tx, changeCounter);
        const removed = await tx.first<{ atMs: number }>(
          sql`DELETE FROM users WHERE id = ${id} RETURNING updated_at_ms AS "atMs"`,
        );
        if (removed === undefined) return false;
        await note(tx, { seq, kind: "deleted", userId: id, fields: [], atMs: Math.max(nowMs(), removed.atMs) });
        return true;
      });
      if (isGone) await onChange?.(id);
      return isGone;
    },
    async list(filter, page, pageSize) {
      const condition = matching(filter);
      const [users, { total }] = await Promise.all([
        database.all<StoredUser>(
          sql`SELECT ${userColumns} FROM users WHERE ${condition} ORDER BY seq LIMIT ${pageSize} OFFSET ${(page - 1) * pageSize}`,
        ),
        database.one<{ total: number }>(sql`SELECT count(*) AS total FROM users WHERE ${condition}`),
      ]);
      return { users, total };
    },
    async *batches(filter, batchSize) {
      const { last } = await database.one<{ last: number }>(sql`SELECT coalesce(max(seq), 0) AS last FROM users`);
      let after = 0;
      while (after < last) {
        const users = await database.all<StoredUser>(sql`SELECT ${userColumns} FROM users
          WHERE seq > ${after} AND seq <= ${last} AND ${matching(filter)} ORDER BY seq LIMIT ${batchSize}`);
        if (users.length > 0) yield users;
        if (users.length < batchSize) return;
        after = users.at(-1)?.seq ?? last;
      }
    },
    changes: {
      async after(after, limit) {
        const rows = await database.all<Omit<UserChange, "fields"> & { readonly fields: string }>(sql`SELECT seq, kind,
          user_id AS "userId", fields, at_ms AS "atMs" FROM user_changes WHERE seq > ${after} ORDER BY seq LIMIT ${limit}`);
        return rows.map((row) => ({ ...row, fields: row.fields === "" ? [] : row.fields.split(",") }));
      },
      range: () =>
        database.one(sql`SELECT (SELECT n FROM counters WHERE name = ${changeCounter}) AS last,
          coalesce((SELECT min(seq) FROM user_changes), (SELECT n + 1 FROM counters WHERE name = ${changeCounter})) AS first`),
    },
  };
}

/** Rolls a transaction back. */
class Refused extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal);
    this.refusal = refusal;
  }
}

/** A longer filter than any name or address matches nothing. */
const maxFilterChars = 400;

/** Returns the condition that the name or the address contains the literal text. */
function matching(filter: string) {
  // PostgreSQL does not support NUL, and no stored text contains one.
  if (filter.length > maxFilterChars || filter.includes("\0")) return sql`1 = 0`;
  const pattern = `%${foldCase(filter).replace(/[\\%_]/g, "\\$&")}%`;
  return sql`(name_folded LIKE ${pattern} ESCAPE '\\' OR email_folded LIKE ${pattern} ESCAPE '\\')`;
}
