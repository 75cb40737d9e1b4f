import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { alreadyExists, notFound } from "@tercel/grpc/errors";
import { Payment_State, type PaymentSchema, type PaymentService } from "../gen/shop/payment/v1/payment_pb.ts";
import { invalidField, requiredId } from "../shared/field-rules.ts";
import type { createListPages } from "../shared/list-pages.ts";
import type { PaymentStore, StoredPayment } from "./payment-store.ts";

export interface PaymentParts {
  readonly store: PaymentStore;
  readonly pages: ReturnType<typeof createListPages>;
}

/** The total of the largest order. */
const maxAmountCents = 100_000_000_000_000n;
/** Larger amounts need the approval of a person, so they are declined. */
const declinedFromCents = 100_000_000;

/** Creates the handlers of shop.payment.v1.PaymentService over the store. */
export function createPaymentHandler({ store, pages }: PaymentParts): ServiceImpl<typeof PaymentService> {
  return {
    async charge(request) {
      const orderId = requiredId("order_id", request.orderId);
      const userId = requiredId("user_id", request.userId);
      if (request.amountCents < 0n || request.amountCents > maxAmountCents) {
        throw invalidField("amount_cents", `must be from 0 to ${maxAmountCents}`);
      }
      const amountCents = Number(request.amountCents);
      const payment = await store.charge({ orderId, userId, amountCents }, declineReasonOf(amountCents));
      if (payment !== "amount-differs") return toMessage(payment);
      throw alreadyExists({
        message: "order_id: the order has a payment of another amount",
        resource: { type: "payment", name: `orders/${orderId}/payment` },
      });
    },

    async getPayment(request) {
      const id = requiredId("payment_id", request.paymentId);
      const payment = await store.get(id);
      if (payment === undefined) throw notFound({ resource: { type: "payment", name: `payments/${id}` } });
      return toMessage(payment);
    },

    async listPayments(request) {
      const { rows, nextPageToken } = await pages(request, (query) => store.list(query));
      return { payments: rows.map(toMessage), nextPageToken };
    },
  };
}

function declineReasonOf(amountCents: number): string | undefined {
  return amountCents < declinedFromCents ? undefined : `amounts from ${declinedFromCents} cents on are declined`;
}

const states = {
  settled: Payment_State.SETTLED,
  declined: Payment_State.DECLINED,
  refunded: Payment_State.REFUNDED,
} as const;

function toMessage(payment: StoredPayment): MessageInitShape<typeof PaymentSchema> {
  const { id, orderId, userId, declineReason } = payment;
  return {
    id,
    orderId,
    userId,
    amountCents: BigInt(payment.amountCents),
    state: states[payment.state],
    declineReason,
    createTime: timestampFromMs(payment.createTimeMs),
    updateTime: timestampFromMs(payment.updateTimeMs),
  };
}
