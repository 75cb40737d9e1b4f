import { type Filter, filterToSql, type ListFields, type OrderKey, orderToSql, type SqlCondition } from "@tercel/aip";
import { type Database, sql } from "@tercel/service";
import { UserStatusSchema } from "../../gen/api/user/v1/user_pb.ts";
import { UserRoleSchema } from "../../gen/user/v1/user_pb.ts";
import { type StoredUser, userColumns } from "./user-row.ts";

/** The fields for `filter` and `order_by` of user.v1. */
export const userListFields: ListFields = {
  id: "string",
  email: "string",
  first_name: "string",
  last_name: "string",
  role: UserRoleSchema,
  created_at: "timestamp",
  updated_at: "timestamp",
};

/** The fields of api.user.v1. Its roles have the names of user.v1 with other numbers. The store has the numbers of user.v1. */
export const apiUserListFields: ListFields = {
  user_id: "string",
  email: "string",
  display_name: "string",
  status: UserStatusSchema,
  role: UserRoleSchema,
  created_at: "timestamp",
  updated_at: "timestamp",
};

/** The position in a list: after the user with these values of the order's keys, and this `seq`. */
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
  /** The number of matching users on all pages. */
  readonly total: number;
}

/** The column of a field, and its key in a user. */
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

/** Compares a column of whole milliseconds with the nanoseconds of a filter. These may have a fraction of a millisecond, so both are floating point. */
const asMs = (column: string) => ({
  sql: `CAST(${column} AS DOUBLE PRECISION)`,
  toParameter: (nanos: unknown) =>
    Number((nanos as bigint) / 1_000_000n) + Number((nanos as bigint) % 1_000_000n) / 1e6,
});
const filterColumns = { ...columns, created_at: asMs("created_at_ms"), updated_at: asMs("updated_at_ms") };

/** Creates the search for users with a checked filter and a checked order, page by page. */
export function createUserSearch(database: Database): (query: UserQuery) => Promise<UserPage> {
  const dialect = database.dialect === "postgres" ? "postgresql" : "sqlite";
  return async ({ filter, order, after, limit }) => {
    const condition = toSql(filterToSql(filter, { dialect, columns: filterColumns }));
    // seq has the direction of the last key: with the newest first, users of the same millisecond are newest first too.
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
      // One more row shows whether there is a next page.
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

/** Returns the condition for users after the cursor: equal in the first keys, and after it in the next key. */
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

/** SQL without values, which never contains text of a caller. */
function plain(text: string) {
  return sql([text]);
}

/** Converts a condition with the placeholders `?` or `$1` to a query. */
function toSql({ text, values }: SqlCondition) {
  return sql(text.split(/\?|\$\d+/), ...values);
}
