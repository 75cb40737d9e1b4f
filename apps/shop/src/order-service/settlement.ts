import { setTimeout } from "node:timers/promises";
import { type Client, Code, ConnectError } from "@connectrpc/connect";
import type { Log } from "@tercel/grpc";
import { Payment_State, type PaymentService } from "../gen/shop/payment/v1/payment_pb.ts";
import type { OrderStore, StoredOrder } from "./order-store.ts";

/** Has orders paid for. */
export interface Settlement {
  /**
   * Charges for a pending order, and returns the order as it is then: placed, cancelled where the charge was refused, or still pending where
   * its outcome is not known. An order that is not pending is returned as it is.
   *
   * @param remainingMs What is left of the caller's own deadline, if it has one.
   */
  settle(order: StoredOrder, remainingMs?: number): Promise<StoredOrder>;
  /** Settles what was left pending, by a call that broke off, a process that was killed or a payment-service that was away, until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

export interface SettlementOptions {
  readonly store: OrderStore;
  readonly payments: Client<typeof PaymentService>;
  readonly log: Log;
  /** Unix milliseconds. Default `Date.now`. */
  readonly nowMs?: () => number;
}

/** How long a charge may take before the order is left pending. */
const chargeTimeoutMs = 2_000;
/** A younger order is still being settled by the call that made it. */
const settleAfterMs = 3_000;
const pauseMs = 1_000;
/** Whoever ordered does not want it any more. */
const giveUpAfterMs = 15 * 60_000;
const batchSize = 100;

/** The charge will not be made, however often it is asked for. */
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
    // Half of it, so that there is time left to say that the order is pending.
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

  /** Whether payment-service responds, so that it is worth trying the others. */
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
