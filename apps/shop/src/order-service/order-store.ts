import { randomUUID } from "node:crypto";
import { type Database, sql, type Transaction } from "@tercel/service";
import { OrderCancelledSchema, OrderPlacedSchema } from "../gen/shop/events/v1/events_pb.ts";
import type { ListQuery } from "../shared/list-pages.ts";
import { nextSeq } from "../shared/next-seq.ts";

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
  readonly state: "pending" | "placed" | "cancelled";
  readonly items: readonly OrderedItem[];
  readonly totalCents: number;
  readonly paymentId: string;
  readonly cancelReason: string;
  readonly createTimeMs: number;
  readonly updateTimeMs: number;
}

/** The orders of the shop. Nothing here rejects for a reason the caller caused; such outcomes are values. */
export interface OrderStore {
  /** Stores an order, which is pending. The same request id of the same user gives the first order again if the items are the same too. */
  create(order: NewOrder): Promise<StoredOrder | "request-id-reused">;
  /** The same in a transaction of the caller's. */
  createIn(tx: Transaction, order: NewOrder): Promise<StoredOrder | "request-id-reused">;
  get(id: string): Promise<StoredOrder | undefined>;
  /** Newest first. */
  list(query: ListQuery): Promise<StoredOrder[]>;
  /** Orders that have been pending for so long, the oldest first. Where the clock was set back, those that are newer than now are among them. */
  pendingFor(minAgeMs: number, limit: number): Promise<StoredOrder[]>;
  /** The order has been paid for. One that is not pending is returned as it is. */
  place(id: string, paymentId: string): Promise<StoredOrder | undefined>;
  /** Cancels an order that is not cancelled yet, and has its payment refunded. */
  cancel(id: string, reason: string): Promise<StoredOrder | undefined>;
}

const columns = sql`seq, id, user_id AS "userId", state, items, total_cents AS "totalCents", payment_id AS "paymentId",
  cancel_reason AS "cancelReason", create_time_ms AS "createTimeMs", update_time_ms AS "updateTimeMs"`;

type OrderRow = Omit<StoredOrder, "items"> & { readonly items: string };

/** Creates the store over a database with the migrations of this service; `nowMs` is the clock. */
export function createOrderStore(database: Database, nowMs: () => number = Date.now): OrderStore {
  async function get(id: string): Promise<StoredOrder | undefined> {
    return orderOf(await database.first<OrderRow>(sql`SELECT ${columns} FROM orders WHERE id = ${id}`));
  }

  async function createIn(tx: Transaction, { userId, requestId, items }: NewOrder) {
    const seq = await nextSeq(tx, "orders");
    const earlier = orderOf(
      await tx.first<OrderRow>(
        // The last condition is what lets the databases use the partial index.
        sql`SELECT ${columns} FROM orders WHERE user_id = ${userId} AND request_id = ${requestId} AND request_id <> ''`,
      ),
    );
    const written = JSON.stringify(items);
    if (earlier !== undefined) return JSON.stringify(earlier.items) === written ? earlier : "request-id-reused";
    const totalCents = items.reduce((total, item) => total + item.quantity * item.unitPriceCents, 0);
    const now = nowMs();
    const row =
      await tx.one<OrderRow>(sql`INSERT INTO orders (seq, id, user_id, request_id, state, items, total_cents, payment_id,
        cancel_reason, create_time_ms, update_time_ms)
      VALUES (${seq}, ${randomUUID()}, ${userId}, ${requestId}, 'pending', ${written}, ${totalCents}, '', '', ${now}, ${now})
      RETURNING ${columns}`);
    return orderFrom(row);
  }

  return {
    create: (order) => database.transaction((tx) => createIn(tx, order)),
    createIn,
    get,
    async list({ userId, before, limit }) {
      const ofUser = userId === "" ? sql`1 = 1` : sql`user_id = ${userId}`;
      const rows = await database.all<OrderRow>(
        sql`SELECT ${columns} FROM orders WHERE ${ofUser} AND seq < ${before} ORDER BY seq DESC LIMIT ${limit}`,
      );
      return rows.map(orderFrom);
    },
    async pendingFor(minAgeMs, limit) {
      const now = nowMs();
      const rows = await database.all<OrderRow>(sql`SELECT ${columns} FROM orders
        WHERE state = 'pending' AND (create_time_ms <= ${now - minAgeMs} OR create_time_ms > ${now})
        ORDER BY create_time_ms LIMIT ${limit}`);
      return rows.map(orderFrom);
    },
    async place(id, paymentId) {
      await database.transaction(async (tx) => {
        const placed = await tx.first<OrderRow>(sql`UPDATE orders SET state = 'placed', payment_id = ${paymentId},
            update_time_ms = ${laterThan(nowMs())} WHERE id = ${id} AND state = 'pending' RETURNING ${columns}`);
        if (placed === undefined) return;
        const { userId, totalCents } = placed;
        await tx.publish(OrderPlacedSchema, { orderId: id, userId, totalCents: BigInt(totalCents) }, { key: id });
      });
      return get(id);
    },
    async cancel(id, reason) {
      await database.transaction(async (tx) => {
        const cancelled = await tx.first<OrderRow>(sql`UPDATE orders SET state = 'cancelled', cancel_reason = ${reason},
            update_time_ms = ${laterThan(nowMs())} WHERE id = ${id} AND state <> 'cancelled' RETURNING ${columns}`);
        if (cancelled === undefined) return;
        await tx.publish(OrderCancelledSchema, { orderId: id, userId: cancelled.userId, reason }, { key: id });
      });
      return get(id);
    },
  };
}

/** The clock may be set back, and an order is never updated before it was created. */
function laterThan(nowMs: number) {
  return sql`CASE WHEN update_time_ms > ${nowMs} THEN update_time_ms ELSE ${nowMs} END`;
}

function orderFrom({ items, ...row }: OrderRow): StoredOrder {
  return { ...row, items: JSON.parse(items) as OrderedItem[] };
}

function orderOf(row: OrderRow | undefined): StoredOrder | undefined {
  return row && orderFrom(row);
}
