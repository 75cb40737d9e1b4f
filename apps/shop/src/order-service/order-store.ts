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

/** An order to place. With a `requestId` the request may be repeated. */
export interface NewOrder {
  readonly userId: string;
  readonly requestId: string;
  readonly items: readonly OrderedItem[];
}

/** A stored order. Times are Unix milliseconds; `seq` increases with every order. */
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

/** The orders of the shop. Failures that the caller caused are return values, not rejections. */
export interface OrderStore {
  /** Stores a pending order. If the user has an order with the same request id and the same items, returns that order. */
  create(order: NewOrder): Promise<StoredOrder | "request-id-reused">;
  /** The same in the caller's transaction. */
  createIn(tx: Transaction, order: NewOrder): Promise<StoredOrder | "request-id-reused">;
  get(id: string): Promise<StoredOrder | undefined>;
  /** Newest first. */
  list(query: ListQuery): Promise<StoredOrder[]>;
  /** Returns orders that have been pending for this time, the oldest first, including orders with a time in the future, after the clock was set back. */
  pendingFor(minAgeMs: number, limit: number): Promise<StoredOrder[]>;
  /** Marks a pending order as placed. Returns any other order unchanged. */
  place(id: string, paymentId: string): Promise<StoredOrder | undefined>;
  /** Cancels an order, unless it is cancelled already, and publishes the event that refunds its payment. */
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
        // The last condition allows the databases to use the partial index.
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

/** Never before the creation of the order, even if the clock was set back. */
function laterThan(nowMs: number) {
  return sql`CASE WHEN update_time_ms > ${nowMs} THEN update_time_ms ELSE ${nowMs} END`;
}

function orderFrom({ items, ...row }: OrderRow): StoredOrder {
  return { ...row, items: JSON.parse(items) as OrderedItem[] };
}

function orderOf(row: OrderRow | undefined): StoredOrder | undefined {
  return row && orderFrom(row);
}
