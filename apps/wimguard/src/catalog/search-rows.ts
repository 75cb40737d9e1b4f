import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import {
  filterToSql,
  type ListColumn,
  type ListFields,
  type ListSqlOptions,
  type OrderKey,
  orderToSql,
  type PageTokens,
  parseFilter,
  parseOrderBy,
} from "@tercel/aip";
import { fail } from "../failure/failure.ts";

/** A table that clients list. */
export interface ListedTable<Item> {
  readonly table: string;
  /** SQL condition of the rows in the list. Default: all. */
  readonly where?: string;
  readonly fields: ListFields;
  readonly columns: Readonly<Record<string, string | ListColumn>>;
  toItem(row: Record<string, unknown>): Item;
}

/** The common fields of list requests. */
export interface ListRequest {
  readonly pageSize: number;
  readonly pageToken: string;
  readonly filter: string;
  readonly orderBy: string;
}

export interface ListPage<Item> {
  readonly items: Item[];
  readonly nextPageToken: string;
  /** Number of items on all pages. */
  readonly total: number;
}

/** Position of a list: the row with these values of the order's keys and this row number. */
export type RowCursor = (string | number)[];

const defaultPageSize = 50;
const maxPageSize = 1000;

/** Converts nanoseconds of a filter to the column's fractional milliseconds. */
export const toMilliseconds = (nanos: unknown): number =>
  Number((nanos as bigint) / 1_000_000n) + Number((nanos as bigint) % 1_000_000n) / 1e6;

/** Returns the number of items on a page. */
export function pageSizeOf(pageSize: number): number {
  if (pageSize < 0)
    fail({ reason: "FIELD_INVALID", field: "page_size", message: `invalid page_size ${pageSize}: use 0 or more` });
  return pageSize === 0 ? defaultPageSize : Math.min(pageSize, maxPageSize);
}

/**
 * Lists rows by a client's filter and order, page by page. Default order: newest first.
 *
 * @throws FailureError or ConnectError InvalidArgument that names the field
 */
export function searchRows<Item>(
  database: DatabaseSync,
  tokens: PageTokens<RowCursor>,
  listed: ListedTable<Item>,
  request: ListRequest,
): ListPage<Item> {
  const { table, where = "1 = 1", fields, columns } = listed;
  const limit = pageSizeOf(request.pageSize);
  const sqlOptions: ListSqlOptions = { dialect: "sqlite", columns };
  const condition = filterToSql(parseFilter(request.filter, fields), sqlOptions);
  const order = parseOrderBy(request.orderBy, fields);
  const query = { table, filter: request.filter, orderBy: request.orderBy };
  const position = positionToSql(order, tokens.read(query, request.pageToken), sqlOptions);
  const values = condition.values as SQLInputValue[];
  const { total } = database
    .prepare(`SELECT count(*) AS total FROM ${table} WHERE ${where} AND ${condition.text}`)
    .get(...values) as { total: number };
  const sorted = [orderToSql(order, sqlOptions), `seq${isNewestFirst(order) ? " DESC" : ""}`];
  const keys = order.map((key, at) => `${keyToSql(key, sqlOptions)} AS key_${at}`);
  const rows = database
    .prepare(
      `SELECT ${["*", ...keys].join(", ")} FROM ${table} WHERE ${where} AND ${condition.text} AND ${position.text}
       ORDER BY ${sorted.filter((part) => part !== "").join(", ")} LIMIT ?`,
    )
    // One more row than the page shows whether there is another page.
    .all(...values, ...position.values, limit + 1);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const isLastPage = rows.length <= limit || last === undefined;
  const cursor = [...order.map((_, at) => last?.[`key_${at}`]), last?.seq] as RowCursor;
  return { items: page.map(listed.toItem), nextPageToken: isLastPage ? "" : tokens.create(query, cursor), total };
}

/** Whether rows with equal keys are listed newest first: the direction of the last key decides. */
function isNewestFirst(order: readonly OrderKey[]): boolean {
  return order.at(-1)?.descending ?? true;
}

function keyToSql({ field }: OrderKey, options: ListSqlOptions): string {
  return orderToSql([{ field, descending: false }], options);
}

/** Returns the condition for rows after the cursor: equal in the first keys, and after it in the next. */
function positionToSql(order: readonly OrderKey[], cursor: RowCursor | undefined, options: ListSqlOptions) {
  if (cursor === undefined) return { text: "1 = 1", values: [] };
  const keys = [
    ...order.map((key) => ({ sql: keyToSql(key, options), descending: key.descending })),
    { sql: "seq", descending: isNewestFirst(order) },
  ];
  const values: SQLInputValue[] = [];
  const alternatives = keys.map(({ sql, descending }, at) => {
    const equal = keys.slice(0, at).map((key) => `${key.sql} = ?`);
    values.push(...cursor.slice(0, at + 1));
    return `(${[...equal, `${sql} ${descending ? "<" : ">"} ?`].join(" AND ")})`;
  });
  return { text: `(${alternatives.join(" OR ")})`, values };
}
