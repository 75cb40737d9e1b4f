import type { Client } from "@connectrpc/connect";
import type { Log } from "@tercel/grpc";
import { client, type Database, database, defineService, events } from "@tercel/service";
import { CreateOrderRequestSchema, OrderService } from "../gen/shop/order/v1/order_pb.ts";
import { PaymentService } from "../gen/shop/payment/v1/payment_pb.ts";
import { createCommonDetails } from "../shared/common-details.ts";
import { createListPages } from "../shared/list-pages.ts";
import { createOrderHandler } from "./order-handler.ts";
import { orderOf } from "./order-rules.ts";
import { createOrderStore } from "./order-store.ts";
import { createSettlement } from "./settlement.ts";

/** Stores the orders, and charges for them with payment-service. */
export const orderService = defineService({
  needs: {
    db: database({ migrations: new URL("./migrations/", import.meta.url) }),
    events: events(),
    payments: client(PaymentService, "payment-service"),
  },
  // user-service may only place orders.
  access: {
    "shop.order.v1.OrderService/*": { roles: ["admin"] },
    "shop.order.v1.OrderService/CreateOrder": { roles: ["admin"], callers: ["user-service"] },
  },
  interceptors: () => ({ outermost: [createCommonDetails()] }),
  routes(router, { events, secret, ...parts }) {
    const { store, settlement } = createParts(parts);
    const pages = createListPages("orders", secret("page tokens"));
    router.service(OrderService, createOrderHandler({ store, settlement, pages }));
    // Orders that user-service published because it could not call this service. `run` settles them.
    events.subscribe(CreateOrderRequestSchema, { group: "order-service" }, async (request, tx) => {
      await store.createIn(tx, orderOf(request));
    });
  },
  background: {
    settlement: (parts, signal) => createParts(parts).settlement.run(signal),
  },
});

function createParts({ db, payments, log }: { db: Database; payments: Client<typeof PaymentService>; log: Log }) {
  const store = createOrderStore(db);
  return { store, settlement: createSettlement({ store, payments, log }) };
}
