import { randomUUID } from "node:crypto";

/** A call in a form for every client: names as in JSON, `$name` for a value that an earlier call saved. */
export interface ClientStep {
  readonly service: string;
  readonly method: string;
  /** The request, or the requests of a stream. */
  readonly requests: readonly object[];
  /** An endless stream. The client reads its first message, while it repeats the call before with another address. */
  readonly isFollowed?: boolean;
  /** Values of the last response, by their path. The client repeats the call until the response has them. */
  readonly until?: Readonly<Record<string, string>>;
  /** Expected values of the last response, by their path. */
  readonly expect?: Readonly<Record<string, string>>;
  readonly save?: Readonly<Record<string, string>>;
}

const old = "user.UserService";
const v1 = "user.v1.UserService";
const api = "api.user.v1.UserService";
const orders = "shop.order.v1.OrderService";
const payments = "shop.payment.v1.PaymentService";
const notifications = "shop.notification.v1.NotificationService";

/** The service of the shop that serves the method. */
export const servedBy = {
  [old]: "user-service",
  [v1]: "user-service",
  [api]: "user-service",
  [orders]: "order-service",
  [payments]: "payment-service",
  [notifications]: "notification-service",
} as const;

/** Calls every method of the shop, in an order in which all succeed. `prefix` makes the addresses of each client unique. */
export function clientSteps(prefix: string): readonly ClientStep[] {
  const email = (name: string) => `${prefix}-${name}@example.org`;
  const one = (service: string, method: string, request: object, more: Partial<ClientStep> = {}): ClientStep => {
    return { service, method, requests: [request], ...more };
  };
  const person = { firstName: "Ada", lastName: "Noel", password: "correct horse" };
  const id = `${prefix}-api`;
  // `%` is replaced with a different text each time.
  const another = { name: "Next", email: `${prefix}-%@example.org` };
  return [
    one(old, "CreateUser", { name: "Grace Hopper", email: email("old") }, { save: { old: "user.id" } }),
    one(old, "GetUser", { userId: "$old" }, { expect: { "user.name": "Grace Hopper" } }),
    one(old, "UpdateUser", { userId: "$old", name: "Grace B. Hopper" }, { expect: { "user.name": "Grace B. Hopper" } }),
    one(old, "ListUsers", { filter: email("old") }, { expect: { total: "1", "users.0.id": "$old" } }),
    one(old, "StreamUsers", { filter: email("old") }, { expect: { id: "$old" } }),

    one(v1, "CreateUser", { ...person, email: email("v1") }, { save: { v1: "user.id" } }),
    one(v1, "GetUser", { id: "$v1" }, { expect: { "user.firstName": "Ada" } }),
    one(v1, "ListUsers", { pageSize: 1, filter: `email = "${email("v1")}"` }, { expect: { totalCount: "1" } }),
    one(v1, "UpdateUser", { id: "$v1", firstName: "Augusta" }, { expect: { "user.firstName": "Augusta" } }),
    one(old, "CreateUser", another),
    one(v1, "StreamUserUpdates", {}, { isFollowed: true, expect: { type: "UPDATE_TYPE_CREATED" } }),
    one(v1, "DeleteUser", { id: "$v1" }),

    one(api, "CreateUser", {
      user: { userId: id, email: email("api"), displayName: "Ada" },
      idempotencyKey: randomUUID(),
    }),
    one(api, "GetUser", { userId: id }, { expect: { displayName: "Ada", status: "USER_STATUS_ACTIVE" } }),
    one(api, "ListUsers", { orderBy: "created_at desc" }, { expect: { "users.0.userId": id } }),
    one(
      api,
      "UpdateUser",
      { user: { userId: id, metadata: { a: "b" } }, updateMask: "metadata" },
      { expect: { "metadata.a": "b", displayName: "Ada" } },
    ),
    {
      service: api,
      method: "BatchCreateUsers",
      requests: [
        { user: { email: email("batch"), displayName: "B" } },
        { user: { email: "nonsense", displayName: "C" } },
      ],
      expect: { failedCount: "1", "createdUsers.0.displayName": "B", "failures.0.index": "1" },
    },
    {
      service: api,
      method: "SyncUsers",
      requests: [
        { requestId: "1", upsert: { userId: `${prefix}-sync`, email: email("sync"), displayName: "S" } },
        { requestId: "2", deleteUserId: `${prefix}-sync` },
      ],
      expect: { requestId: "2", deletedUserId: `${prefix}-sync` },
    },
    one(old, "CreateUser", another),
    one(api, "StreamUserEvents", {}, { isFollowed: true, expect: { "userCreated.user.displayName": "Next" } }),
    one(api, "DeleteUser", { userId: id }),

    one(
      orders,
      "CreateOrder",
      { userId: id, items: [{ sku: "book", quantity: 2, unitPriceCents: "5" }], requestId: "r" },
      { expect: { totalCents: "10" }, save: { order: "id" } },
    ),
    // An order stays pending where its charge takes longer than two seconds, and is settled some seconds later.
    one(
      orders,
      "GetOrder",
      { orderId: "$order" },
      { until: { state: "STATE_PLACED" }, expect: { "items.0.sku": "book" }, save: { payment: "paymentId" } },
    ),
    one(orders, "ListOrders", { userId: id, pageSize: 1 }, { expect: { "orders.0.id": "$order" } }),
    one(payments, "Charge", { orderId: "$order", userId: id, amountCents: "10" }, { expect: { id: "$payment" } }),
    one(payments, "GetPayment", { paymentId: "$payment" }, { expect: { state: "STATE_SETTLED" } }),
    one(payments, "ListPayments", { userId: id, pageSize: 1 }, { expect: { "payments.0.id": "$payment" } }),
    one(orders, "CancelOrder", { orderId: "$order" }, { expect: { state: "STATE_CANCELLED" } }),

    one(old, "CreateUser", another),
    one(notifications, "StreamNotifications", {}, { isFollowed: true, save: { notified: "notification.userId" } }),
    one(
      notifications,
      "ListNotifications",
      { userId: "$notified" },
      { expect: { "notifications.0.userId": "$notified" } },
    ),
    one(old, "DeleteUser", { userId: "$old" }, { expect: { success: "true" } }),
  ];
}
