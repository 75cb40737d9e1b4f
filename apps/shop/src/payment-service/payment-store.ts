import { randomUUID } from "node:crypto";
import { type Database, sql, type Transaction } from "@tercel/service";
import { PaymentSettledSchema } from "../gen/shop/events/v1/events_pb.ts";
import type { ListQuery } from "../shared/list-pages.ts";
import { nextSeq } from "../shared/next-seq.ts";

/** A charge for an order. */
export interface Charge {
  readonly orderId: string;
  readonly userId: string;
  readonly amountCents: number;
}

/** A stored payment. Times are Unix milliseconds; `seq` increases with every payment. */
export interface StoredPayment extends Charge {
  readonly seq: number;
  readonly id: string;
  readonly state: "settled" | "declined" | "refunded";
  readonly declineReason: string;
  readonly createTimeMs: number;
  readonly updateTimeMs: number;
}

/** The payments of the shop. Failures that the caller caused are return values, not rejections. */
export interface PaymentStore {
  /** Creates the payment of an order, settled or declined for a reason, or returns its existing payment. */
  charge(charge: Charge, declineReason: string | undefined): Promise<StoredPayment | "amount-differs">;
  /** Refunds the payment of a cancelled order. Prevents a charge that arrives later. */
  refundIn(tx: Transaction, order: Pick<Charge, "orderId" | "userId">): Promise<void>;
  get(id: string): Promise<StoredPayment | undefined>;
  /** Newest first. */
  list(query: ListQuery): Promise<StoredPayment[]>;
}

const columns = sql`seq, id, order_id AS "orderId", user_id AS "userId", amount_cents AS "amountCents", state,
  decline_reason AS "declineReason", create_time_ms AS "createTimeMs", update_time_ms AS "updateTimeMs"`;

/** Creates the store over a database with the migrations of this service; `nowMs` is the clock. */
export function createPaymentStore(database: Database, nowMs: () => number = Date.now): PaymentStore {
  /** Returns the payment of an order. Creates it if there is none. */
  async function paymentOf(
    tx: Transaction,
    { orderId, userId, amountCents }: Charge,
    made: Pick<StoredPayment, "state" | "declineReason">,
  ): Promise<{ readonly payment: StoredPayment; readonly isNew: boolean }> {
    // Serializes transactions from here on, so that two charges for one order see each other.
    const seq = await nextSeq(tx, "payments");
    const earlier = await tx.first<StoredPayment>(sql`SELECT ${columns} FROM payments WHERE order_id = ${orderId}`);
    if (earlier !== undefined) return { payment: earlier, isNew: false };
    const now = nowMs();
    const payment =
      await tx.one<StoredPayment>(sql`INSERT INTO payments (seq, id, order_id, user_id, amount_cents, state,
        decline_reason, create_time_ms, update_time_ms)
      VALUES (${seq}, ${randomUUID()}, ${orderId}, ${userId}, ${amountCents}, ${made.state}, ${made.declineReason}, ${now}, ${now})
      RETURNING ${columns}`);
    return { payment, isNew: true };
  }

  return {
    charge(charge, declineReason) {
      return database.transaction(async (tx) => {
        const state = declineReason === undefined ? "settled" : "declined";
        const { payment, isNew } = await paymentOf(tx, charge, { state, declineReason: declineReason ?? "" });
        if (payment.state !== "refunded" && payment.amountCents !== charge.amountCents) return "amount-differs";
        if (isNew && state === "settled") {
          const { orderId, userId, amountCents } = charge;
          const settled = { paymentId: payment.id, orderId, userId, amountCents: BigInt(amountCents) };
          await tx.publish(PaymentSettledSchema, settled, { key: orderId });
        }
        return payment;
      });
    },
    async refundIn(tx, { orderId, userId }) {
      const refunded = { state: "refunded", declineReason: "the order was cancelled" } as const;
      const { payment } = await paymentOf(tx, { orderId, userId, amountCents: 0 }, refunded);
      if (payment.state !== "settled") return;
      const now = Math.max(nowMs(), payment.updateTimeMs);
      await tx.run(sql`UPDATE payments SET state = 'refunded', decline_reason = ${refunded.declineReason}, update_time_ms = ${now}
        WHERE id = ${payment.id}`);
    },
    get: (id) => database.first<StoredPayment>(sql`SELECT ${columns} FROM payments WHERE id = ${id}`),
    list({ userId, before, limit }) {
      const ofUser = userId === "" ? sql`1 = 1` : sql`user_id = ${userId}`;
      return database.all<StoredPayment>(
        sql`SELECT ${columns} FROM payments WHERE ${ofUser} AND seq < ${before} ORDER BY seq DESC LIMIT ${limit}`,
      );
    },
  };
}
