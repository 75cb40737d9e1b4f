import { database, defineService, events } from "@tercel/service";
import { OrderCancelledSchema } from "../gen/shop/events/v1/events_pb.ts";
import { PaymentService } from "../gen/shop/payment/v1/payment_pb.ts";
import { createCommonDetails } from "../shared/common-details.ts";
import { createListPages } from "../shared/list-pages.ts";
import { createPaymentHandler } from "./payment-handler.ts";
import { createPaymentStore } from "./payment-store.ts";

/** Charges for orders, and refunds cancelled ones. */
export const paymentService = defineService({
  needs: {
    db: database({ migrations: new URL("./migrations/", import.meta.url) }),
    events: events(),
  },
  access: {
    "shop.payment.v1.PaymentService/*": { roles: ["admin"] },
    "shop.payment.v1.PaymentService/Charge": { roles: ["admin"], callers: ["order-service"] },
  },
  interceptors: () => ({ outermost: [createCommonDetails()] }),
  routes(router, { db, events, secret }) {
    const store = createPaymentStore(db);
    const pages = createListPages("payments", secret("page tokens"));
    router.service(PaymentService, createPaymentHandler({ store, pages }));
    events.subscribe(OrderCancelledSchema, { group: "payment-service" }, (order, tx) => store.refundIn(tx, order));
  },
});
