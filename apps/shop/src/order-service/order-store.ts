import { randomUUID } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { inTransaction } from "../storage/open-database.ts";

/** One position of an order. */
export interface OrderedItem {
  readonly sku: string;
  readonly quantity: number;
  readonly unitPriceCents: number;
}

/** An order that is to be placed. `requestId` makes the placing repeatable; empty means that it is not. */
export interface NewOrder {
  readonly userId: string;
  readonly requestId: string;
  readonly items: readonly OrderedItem[];
}

/** An order as it is stored. Times are Unix milliseconds; `seq` rises with every order. */
export interface StoredOrder {
  readonly seq: number;
  readonly id: string;
  readonly userId: string;
  readonly cancelled: boolean;
  readonly items: readonly OrderedItem[];
  readonly createTimeMs: number;
  readonly updateTimeMs: number;
}

/** The orders of the shop. Nothing here throws for a reason the caller caused; such outcomes are values. */
export interface OrderStore {
  /** Stores an order. The same request id of the same user gives the first order again if the items are the same too. */
  create(order: NewOrder): StoredOrder | "request-id-reused";
  get(id: string): StoredOrder | undefined;
  /** Orders older than `beforeSeq`, newest first; an empty user id means everybody's. */
  list(userId: string, beforeSeq: number, limit: number): StoredOrder[];
  /** Cancels an order, and leaves one alone that is cancelled already. */
  cancel(id: string): StoredOrder | undefined;
}

/** The schema, step by step; see openDatabase. */
export const orderMigrations: readonly string[] = [
  `CREATE TABLE orders (
     seq            INTEGER PRIMARY KEY AUTOINCREMENT,
     id             TEXT NOT NULL UNIQUE,
     user_id        TEXT NOT NULL,
     request_id     TEXT NOT NULL,
     cancelled      INTEGER NOT NULL CHECK (cancelled IN (0, 1)),
     create_time_ms INTEGER NOT NULL,
     update_time_ms INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX orders_by_user ON orders (user_id, seq);
   CREATE UNIQUE INDEX orders_by_request ON orders (user_id, request_id) WHERE request_id <> '';
   CREATE TABLE order_items (
     order_seq        INTEGER NOT NULL REFERENCES orders (seq) ON DELETE CASCADE,
     position         INTEGER NOT NULL,
     sku              TEXT NOT NULL,
     quantity         INTEGER NOT NULL CHECK (quantity > 0),
     unit_price_cents INTEGER NOT NULL CHECK (unit_price_cents >= 0),
     PRIMARY KEY (order_seq, position)
   ) STRICT, WITHOUT ROWID;`,
];

const columns =
  'seq, id, user_id AS "userId", cancelled, create_time_ms AS "createTimeMs", update_time_ms AS "updateTimeMs"';

type OrderRow = Omit<StoredOrder, "cancelled" | "items"> & { readonly cancelled: number };

/** Creates the store over a database that `orderMigrations` have prepared; `nowMs` is the clock. */
export function createOrderStore(database: DatabaseSync, nowMs: () => number = Date.now): OrderStore {
  const insertOrder = database.prepare(
    `INSERT INTO orders (id, user_id, request_id, cancelled, create_time_ms, update_time_ms)
     VALUES (:id, :userId, :requestId, 0, :nowMs, :nowMs) RETURNING ${columns}`,
  );
  const insertItem = database.prepare(
    `INSERT INTO order_items (order_seq, position, sku, quantity, unit_price_cents)
     VALUES (:seq, :position, :sku, :quantity, :unitPriceCents)`,
  );
  const selectById = database.prepare(`SELECT ${columns} FROM orders WHERE id = :id`);
  const selectByRequest = database.prepare(
    // The second condition is what lets SQLite use the partial index.
    `SELECT ${columns} FROM orders WHERE user_id = :userId AND request_id = :requestId AND request_id <> ''`,
  );
  const selectItems = database.prepare(
    `SELECT sku, quantity, unit_price_cents AS "unitPriceCents" FROM order_items WHERE order_seq = :seq ORDER BY position`,
  );
  const selectAll = database.prepare(
    `SELECT ${columns} FROM orders WHERE seq < :beforeSeq ORDER BY seq DESC LIMIT :limit`,
  );
  const selectByUser = database.prepare(
    `SELECT ${columns} FROM orders WHERE user_id = :userId AND seq < :beforeSeq ORDER BY seq DESC LIMIT :limit`,
  );
  const markCancelled = database.prepare(
    // The clock may be set back, and an order is never updated before it was created.
    `UPDATE orders SET cancelled = 1, update_time_ms = max(:nowMs, create_time_ms, update_time_ms)
     WHERE id = :id AND cancelled = 0`,
  );

  const orderOf = (found: unknown): StoredOrder | undefined => {
    if (found === undefined) return undefined;
    const row = found as OrderRow;
    const items = selectItems.all({ seq: row.seq }) as unknown as OrderedItem[];
    return { ...row, cancelled: row.cancelled === 1, items: items.map((item) => ({ ...item })) };
  };
  const get = (id: string) => orderOf(selectById.get({ id }));
  const present = (order: StoredOrder | undefined) => order !== undefined;

  return {
    create({ userId, requestId, items }) {
      return inTransaction(database, () => {
        const earlier = orderOf(selectByRequest.get({ userId, requestId }));
        if (earlier !== undefined) return sameItems(earlier.items, items) ? earlier : "request-id-reused";
        const row = insertOrder.get({ id: randomUUID(), userId, requestId, nowMs: nowMs() }) as unknown as OrderRow;
        for (const [position, { sku, quantity, unitPriceCents }] of items.entries()) {
          insertItem.run({ seq: row.seq, position, sku, quantity, unitPriceCents });
        }
        return { ...row, cancelled: false, items };
      });
    },
    get,
    list(userId, beforeSeq, limit) {
      const rows = userId === "" ? selectAll.all({ beforeSeq, limit }) : selectByUser.all({ userId, beforeSeq, limit });
      return rows.map(orderOf).filter(present);
    },
    cancel(id) {
      markCancelled.run({ id, nowMs: nowMs() });
      return get(id);
    },
  };
}

function sameItems(some: readonly OrderedItem[], others: readonly OrderedItem[]): boolean {
  return (
    some.length === others.length &&
    some.every((item, index) => {
      const other = others[index];
      return (
        item.sku === other?.sku && item.quantity === other.quantity && item.unitPriceCents === other.unitPriceCents
      );
    })
  );
}
