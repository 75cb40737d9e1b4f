import { setTimeout } from "node:timers/promises";
import { type Client, Code, ConnectError } from "@connectrpc/connect";
import type { Log } from "@tercel/grpc";
import { Payment_State, type PaymentService } from "../gen/shop/payment/v1/payment_pb.ts";
import type { OrderStore, StoredOrder } from "./order-store.ts";

/** Charges for orders. */
export interface Settlement {
  /**
   * Charges for a pending order, and returns the resulting order: placed, cancelled if the charge was refused, or still pending if
   * the outcome is unknown. Returns an order that is not pending unchanged.
   *
   * @param remainingMs The remaining time of the caller's deadline, if it has one.
   */
  settle(order: StoredOrder, remainingMs?: number): Promise<StoredOrder>;
  /** Settles pending orders until the signal aborts. They remain after a broken call, a killed process or an outage of payment-service. */
  run(signal: AbortSignal): Promise<void>;
}

export interface SettlementOptions {
  readonly store: OrderStore;
  readonly payments: Client<typeof PaymentService>;
  readonly log: Log;
  /** Unix milliseconds. Default `Date.now`. */
  readonly nowMs?: () => number;
}

/** The timeout of a charge. After it the order stays pending. */
const chargeTimeoutMs = 2_000;
/** The minimum age. The call that created a younger order is still settling it. */
const settleAfterMs = 3_000;
const pauseMs = 1_000;
/** The maximum age. After this time the user no longer expects the order. */
const giveUpAfterMs = 15 * 60_000;
const batchSize = 100;

/** Codes of charges that can never succeed. */
const definiteCodes: readonly Code[] = [
  Code.InvalidArgument,
  Code.AlreadyExists,
  Code.FailedPrecondition,
  Code.OutOfRange,
];

/** Creates the settlement of orders over a store. */
export function createSettlement({ store, payments, log, nowMs = Date.now }: SettlementOptions): Settlement {
  async function settle(order: StoredOrder, remainingMs = Number.POSITIVE_INFINITY): Promise<StoredOrder> {
    if (order.state !== "pending") return order;
    const { id: orderId, userId, totalCents } = order;
    // Half of it, so that time is left to respond that the order is pending.
    const timeoutMs = Math.max(1, Math.min(chargeTimeoutMs, Math.floor(remainingMs / 2)));
    try {
      const payment = await payments.charge({ orderId, userId, amountCents: BigInt(totalCents) }, { timeoutMs });
      const { state, declineReason } = payment;
      if (state === Payment_State.SETTLED) return (await store.place(orderId, payment.id)) ?? order;
      return (await store.cancel(orderId, declineReason || "the payment was refunded")) ?? order;
    } catch (thrown) {
      const error = ConnectError.from(thrown);
      if (definiteCodes.includes(error.code)) return (await store.cancel(orderId, error.rawMessage)) ?? order;
      log.warn("an order could not be charged for and stays pending", { orderId, timeoutMs, error: error.message });
      return order;
    }
  }

  /** Returns whether payment-service responds, so that the next orders can be tried. */
  async function settleOld(order: StoredOrder): Promise<boolean> {
    if (order.createTimeMs <= nowMs() - giveUpAfterMs) {
      await store.cancel(order.id, "the payment could not be made in time");
      return true;
    }
    return (await settle(order)).state !== "pending";
  }

  return {
    settle,
    async run(signal) {
      while (!signal.aborted) {
        for (const order of await store.pendingFor(settleAfterMs, batchSize)) {
          if (signal.aborted || !(await settleOld(order))) break;
        }
        await setTimeout(pauseMs, undefined, { signal });
      }
    },
  };
}
