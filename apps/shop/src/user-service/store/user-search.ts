import { type Filter, filterToSql, type ListFields, type OrderKey, orderToSql, type SqlCondition } from "@tercel/aip";
import { type Database, sql } from "@tercel/service";
import { UserStatusSchema } from "../../gen/api/user/v1/user_pb.ts";
import { UserRoleSchema } from "../../gen/user/v1/user_pb.ts";
import { type StoredUser, userColumns } from "./user-row.ts";

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

/** Those of api.user.v1. Its roles have the names of user.v1's and other numbers; what is stored are those of user.v1. */
export const apiUserListFields: ListFields = {
  user_id: "string",
  email: "string",
  display_name: "string",
  status: UserStatusSchema,
  role: UserRoleSchema,
  created_at: "timestamp",
  updated_at: "timestamp",
};

/** Where a list continues: after the user with these values of the order's keys, and this `seq`. */
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

/** Where a field of either package is: its column, and its key in a user that was read. */
const fields: Readonly<Record<string, { readonly column: string; readonly key: keyof StoredUser }>> = {
  id: { column: "id", key: "id" },
  user_id: { column: "id", key: "id" },
  email: { column: "email", key: "email" },
  display_name: { column: "name", key: "name" },
  first_name: { column: "first_name", key: "firstName" },
  last_name: { column: "last_name", key: "lastName" },
  status: { column: "status", key: "status" },
  role: { column: "role", key: "role" },
  created_at: { column: "created_at_ms", key: "createdAtMs" },
  updated_at: { column: "updated_at_ms", key: "updatedAtMs" },
};
const columns = Object.fromEntries(Object.entries(fields).map(([field, { column }]) => [field, column]));

/** Nanoseconds of a filter as milliseconds, a part of one included, which a column of whole ones cannot be compared with as it is. */
const asMs = (column: string) => ({
  sql: `CAST(${column} AS DOUBLE PRECISION)`,
  toParameter: (nanos: unknown) =>
    Number((nanos as bigint) / 1_000_000n) + Number((nanos as bigint) % 1_000_000n) / 1e6,
});
const filterColumns = { ...columns, created_at: asMs("created_at_ms"), updated_at: asMs("updated_at_ms") };

/** Creates the search for users by a checked filter, in a checked order, page by page. */
export function createUserSearch(database: Database): (query: UserQuery) => Promise<UserPage> {
  const dialect = database.dialect === "postgres" ? "postgresql" : "sqlite";
  return async ({ filter, order, after, limit }) => {
    const condition = toSql(filterToSql(filter, { dialect, columns: filterColumns }));
    // The latest key decides for seq as well: newest first continues among those of one millisecond.
    const isDescending = order.at(-1)?.descending ?? false;
    const keys = [
      ...order.map(({ field, descending }) => ({
        sql: plain(orderToSql([{ field, descending: false }], { dialect, columns })),
        descending,
      })),
      { sql: plain("seq"), descending: isDescending },
    ];
    const sorted = keys
      .map(({ sql: key, descending }) => (descending ? sql`${key} DESC` : key))
      .reduce((all, key) => sql`${all}, ${key}`);
    const following = after === undefined ? sql`1 = 1` : afterCursor(keys, after);
    const [rows, { total }] = await Promise.all([
      // One more than wanted shows whether there is a next page.
      database.all<StoredUser>(sql`SELECT ${userColumns} FROM users
        WHERE ${condition} AND ${following} ORDER BY ${sorted} LIMIT ${limit + 1}`),
      database.one<{ total: number }>(sql`SELECT count(*) AS total FROM users WHERE ${condition}`),
    ]);
    const users = rows.slice(0, limit);
    const last = users.at(-1);
    const next = rows.length > limit && last !== undefined ? cursorOf(order, last) : undefined;
    return { users, next, total };
  };
}

function cursorOf(order: readonly OrderKey[], user: StoredUser): UserCursor {
  return [...order.map(({ field }) => user[fields[field]?.key ?? "id"] ?? ""), user.seq];
}

/** Users after the cursor: those equal in the keys before one, and after it in that one. */
function afterCursor(
  keys: readonly { readonly sql: typeof userColumns; readonly descending: boolean }[],
  cursor: UserCursor,
) {
  const alternatives = keys.map(({ sql: key, descending }, at) => {
    const differs = descending ? sql`${key} < ${cursor[at]}` : sql`${key} > ${cursor[at]}`;
    return keys
      .slice(0, at)
      .reduceRight((rest, equal, before) => sql`${equal.sql} = ${cursor[before]} AND ${rest}`, differs);
  });
  const any = alternatives.map((one) => sql`(${one})`).reduce((all, one) => sql`${all} OR ${one}`);
  return sql`(${any})`;
}

/** Text without values. It is never made of what a caller sent. */
function plain(text: string) {
  return sql([text]);
}

/** A condition whose placeholders are `?` or `$1`, as a query. */
function toSql({ text, values }: SqlCondition) {
  return sql(text.split(/\?|\$\d+/), ...values);
}
