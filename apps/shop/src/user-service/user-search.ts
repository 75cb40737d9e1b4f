import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { type Filter, filterToSql, type ListFields, type ListSqlOptions, type OrderKey, orderToSql } from "@tercel/aip";
import { UserRoleSchema } from "../gen/user/v1/user_pb.ts";
import { type StoredUser, userColumns, userOf } from "./user-row.ts";

/** The fields that `filter` and `order_by` of user.v1 may name. */
export const userListFields: ListFields = {
  id: "string",
  email: "string",
  first_name: "string",
  last_name: "string",
  role: UserRoleSchema,
  created_at: "timestamp",
  updated_at: "timestamp",
};

/** Where a list goes on: behind the user with these values of the order's keys, and this `seq`. */
export type UserCursor = (string | number)[];

export interface UserQuery {
  readonly filter: Filter;
  readonly order: readonly OrderKey[];
  /** Undefined for the first page. */
  readonly after: UserCursor | undefined;
  readonly limit: number;
}

export interface UserPage {
  readonly users: StoredUser[];
  /** Undefined on the last page. */
  readonly next: UserCursor | undefined;
  /** How many users match on all pages. */
  readonly total: number;
}

/** Nanoseconds of a filter as the column's milliseconds, a part of one included. */
const toMs = (nanos: unknown) => Number((nanos as bigint) / 1_000_000n) + Number((nanos as bigint) % 1_000_000n) / 1e6;

const columns = {
  id: "id",
  email: "email",
  first_name: "first_name",
  last_name: "last_name",
  role: "role",
  created_at: { sql: "created_at_ms", toParameter: toMs },
  updated_at: { sql: "updated_at_ms", toParameter: toMs },
};
const sqlOptions: ListSqlOptions = { dialect: "sqlite", columns };

/** What an order's key is in a user that was read. */
const readKey: Readonly<Record<string, (user: StoredUser) => string | number>> = {
  id: (user) => user.id,
  email: (user) => user.email,
  first_name: (user) => user.firstName,
  last_name: (user) => user.lastName,
  role: (user) => user.role,
  created_at: (user) => user.createdAtMs,
  updated_at: (user) => user.updatedAtMs,
};

/** Creates the search for users by a checked filter, in a checked order, page by page. */
export function createUserSearch(database: DatabaseSync): (query: UserQuery) => UserPage {
  return ({ filter, order, after, limit }) => {
    const condition = filterToSql(filter, sqlOptions);
    const values = condition.values as SQLInputValue[];
    const { total } = database
      .prepare(`SELECT count(*) AS total FROM users WHERE ${condition.text}`)
      .get(...values) as {
      total: number;
    };
    // The latest key decides for seq as well: newest first goes on among those of one millisecond.
    const isDescending = order.at(-1)?.descending ?? false;
    const sorted = [orderToSql(order, sqlOptions), `seq${isDescending ? " DESC" : ""}`].filter((part) => part !== "");
    const behind = after === undefined ? { text: "1 = 1", values: [] } : positionToSql(order, isDescending, after);
    const rows = database
      .prepare(
        `SELECT ${userColumns} FROM users WHERE ${condition.text} AND ${behind.text} ORDER BY ${sorted.join(", ")} LIMIT ?`,
      )
      // One more than asked for tells whether there is a next page.
      .all(...values, ...behind.values, limit + 1);
    const users = rows.slice(0, limit).map(userOf);
    const last = users.at(-1);
    const next = rows.length > limit && last !== undefined ? cursorOf(order, last) : undefined;
    return { users, next, total };
  };
}

function cursorOf(order: readonly OrderKey[], user: StoredUser): UserCursor {
  return [...order.map(({ field }) => readKey[field]?.(user) ?? ""), user.seq];
}

/** Users behind the cursor: those equal in the keys before one, and behind in that one. */
function positionToSql(order: readonly OrderKey[], isDescending: boolean, cursor: UserCursor) {
  const keys = order.map(({ field, descending }) => {
    return { sql: orderToSql([{ field, descending: false }], sqlOptions), descending };
  });
  const all = [...keys, { sql: "seq", descending: isDescending }];
  const values: SQLInputValue[] = [];
  const alternatives = all.map(({ sql, descending }, at) => {
    const equal = all.slice(0, at).map((key) => `${key.sql} = ?`);
    values.push(...cursor.slice(0, at + 1));
    return [...equal, `${sql} ${descending ? "<" : ">"} ?`].join(" AND ");
  });
  return { text: `(${alternatives.map((one) => `(${one})`).join(" OR ")})`, values };
}
