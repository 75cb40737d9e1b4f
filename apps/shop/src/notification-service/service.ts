import { database, defineService, events, type HandledEvent, type Transaction } from "@tercel/service";
import { createFeed } from "@tercel/service/feed";
import {
  OrderCancelledSchema,
  OrderPlacedSchema,
  PaymentSettledSchema,
  UserCreatedSchema,
} from "../gen/shop/events/v1/events_pb.ts";
import { NotificationService } from "../gen/shop/notification/v1/notification_pb.ts";
import { createCommonDetails } from "../shared/common-details.ts";
import { createNotificationHandler } from "./notification-handler.ts";
import { createNotificationStore, type StoredNotification } from "./notification-store.ts";

const group = "notification-service";
/** How often streams check for new notifications, because nothing reports the commit of an event's handler. */
const pollMs = 250;

/** Notifies users of the events of the other services. */
export const notificationService = defineService({
  needs: {
    db: database({ migrations: new URL("./migrations/", import.meta.url) }),
    events: events(),
  },
  access: { "shop.notification.v1.NotificationService/*": "authenticated" },
  interceptors: () => ({ outermost: [createCommonDetails()] }),
  routes(router, { db, events, secret, stopping }) {
    const store = createNotificationStore(db);
    const feed = createFeed<StoredNotification>(store, { pollMs, stopping });
    const tokenSecret = secret("page tokens");
    router.service(NotificationService, createNotificationHandler({ store, feed, tokenSecret }));

    const notify = (
      tx: Transaction,
      { id, publishedAt }: HandledEvent,
      of: { userId: string; kind: string; text: string },
    ) => store.addIn(tx, { id, createTimeMs: publishedAt.getTime(), ...of });
    events.subscribe(UserCreatedSchema, { group }, ({ userId, name }, tx, event) =>
      notify(tx, event, { userId, kind: "user.created", text: `Welcome, ${name}!` }),
    );
    events.subscribe(OrderPlacedSchema, { group }, ({ userId, orderId, totalCents }, tx, event) =>
      notify(tx, event, { userId, kind: "order.placed", text: `Order ${orderId} over ${totalCents} cents is placed.` }),
    );
    events.subscribe(OrderCancelledSchema, { group }, ({ userId, orderId, reason }, tx, event) =>
      notify(tx, event, { userId, kind: "order.cancelled", text: `Order ${orderId} is cancelled: ${reason}.` }),
    );
    events.subscribe(PaymentSettledSchema, { group }, ({ userId, orderId, amountCents }, tx, event) =>
      notify(tx, event, {
        userId,
        kind: "payment.settled",
        text: `${amountCents} cents were paid for order ${orderId}.`,
      }),
    );
  },
});
