import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { status } from "@grpc/grpc-js";
import { developmentServiceKey } from "./development-secret.ts";
import type { LooseClient, LooseMessage } from "./grpc-client.ts";
import { Inbox } from "./inbox.ts";
import { createShopUnderTest, type ShopUnderTest, type StartedService } from "./shop-under-test.ts";

let shop: ShopUnderTest;
let payments: StartedService;
let notifications: StartedService;
let orderClient: LooseClient;
let userClient: LooseClient;
let admin: Record<string, string>;
let created = 0;
before(async () => {
  shop = await createShopUnderTest();
  notifications = await shop.start("notification-service");
  payments = await shop.start("payment-service");
  orderClient = shop.open("shop.order.v1.OrderService", (await shop.start("order-service")).address);
  userClient = shop.open("user.v1.UserService", (await shop.start("user-service")).address);
  admin = await shop.tokenOf("admin");
});
after(() => shop.end());

const inbox = () => shop.open("shop.notification.v1.NotificationService", notifications.address);
const paymentClient = () => shop.open("shop.payment.v1.PaymentService", payments.address);

async function createUser(): Promise<string> {
  created += 1;
  const person = {
    email: `ada${created}@example.org`,
    first_name: "Ada",
    last_name: "Noel",
    password: "correct horse",
  };
  return (await userClient.call("CreateUser", person, admin)).user.id;
}

const placeOrder = (user_id: string, unit_price_cents: number) =>
  orderClient.call("CreateOrder", { user_id, items: [{ sku: "book", quantity: 1, unit_price_cents }] }, admin);

/** Resolves to the notifications of a user, when there are this many. */
async function notified(userId: string, count: number): Promise<LooseMessage[]> {
  const followed = new Inbox(notifications.address, admin);
  return followed.until(count, userId).finally(() => followed.close());
}

const kindsOf = (found: readonly LooseMessage[]) => found.map(({ kind }) => kind).sort();

test("a new user gets a paid first order, and is notified of the account, the order and the payment", {
  timeout: 180_000,
}, async () => {
  const userId = await createUser();
  const found = await notified(userId, 3);
  assert.deepEqual(kindsOf(found), ["order.placed", "payment.settled", "user.created"]);
  assert.equal(found.find(({ kind }) => kind === "user.created")?.text, "Welcome, Ada Noel!");
  const { payments: all } = await paymentClient().call("ListPayments", { user_id: userId }, admin);
  assert.deepEqual(
    all.map(({ state, amount_cents }: LooseMessage) => [state, amount_cents]),
    [["STATE_SETTLED", "0"]],
  );
  const [order] = (await orderClient.call("ListOrders", { user_id: userId }, admin)).orders;
  assert.deepEqual([order.state, order.payment_id], ["STATE_PLACED", all[0].id]);
  assert.deepEqual(await paymentClient().call("GetPayment", { payment_id: order.payment_id }, admin), all[0]);
});

test("an order with a declined payment is cancelled, and its user is notified of the cancellation only", {
  timeout: 180_000,
}, async () => {
  const order = await placeOrder("eve", 100_000_000);
  assert.equal(order.state, "STATE_CANCELLED");
  assert.match(order.cancel_reason, /declined/);
  assert.deepEqual(kindsOf(await notified("eve", 1)), ["order.cancelled"]);
});

test("an order that its user cancels is refunded", { timeout: 180_000 }, async () => {
  const order = await placeOrder("bob", 1_000);
  assert.equal(order.state, "STATE_PLACED");
  const cancelled = await orderClient.call("CancelOrder", { order_id: order.id }, admin);
  assert.equal(cancelled.state, "STATE_CANCELLED");
  const client = paymentClient();
  for (let state = ""; state !== "STATE_REFUNDED"; ) {
    state = (await client.call("GetPayment", { payment_id: order.payment_id }, admin)).state;
  }
  assert.deepEqual(kindsOf(await notified("bob", 3)), ["order.cancelled", "order.placed", "payment.settled"]);
});

test("without payment-service an order is pending, and it is placed after the outage", {
  timeout: 180_000,
}, async () => {
  payments.process.signal("SIGKILL");
  await payments.process.ended;
  const order = await placeOrder("cy", 1_000);
  assert.equal(order.state, "STATE_PENDING");
  payments = await shop.start("payment-service");
  assert.deepEqual(kindsOf(await notified("cy", 2)), ["order.placed", "payment.settled"]);
  assert.equal((await orderClient.call("GetOrder", { order_id: order.id }, admin)).state, "STATE_PLACED");
});

test("users are notified of events during an outage of notification-service, after the outage", {
  timeout: 180_000,
}, async () => {
  notifications.process.signal("SIGKILL");
  await notifications.process.ended;
  await placeOrder("dan", 1_000);
  notifications = await shop.start("notification-service");
  assert.deepEqual(kindsOf(await notified("dan", 2)), ["order.placed", "payment.settled"]);
});

test("a stream of notifications continues after its token, and users get only their own", {
  timeout: 180_000,
}, async () => {
  const own = await shop.tokenOf("user", "fay");
  const client = inbox();
  const stream = client.stream("StreamNotifications", { user_id: "fay" }, own);
  stream.on("error", () => {});
  const first = stream[Symbol.asyncIterator]().next();
  let isOpen = false;
  void first.then(() => {
    isOpen = true;
  });
  // It is not known when the stream has started, so orders are placed until a notification arrives.
  while (!isOpen) await placeOrder("fay", 1);
  const { notification, resume_token } = (await first).value as LooseMessage;
  assert.equal(notification.user_id, "fay");
  stream.cancel();

  const last = await placeOrder("fay", 2);
  const resumed = client.stream("StreamNotifications", { user_id: "fay", resume_token }, own);
  resumed.on("error", () => {});
  const ids = new Set<string>([notification.id]);
  for await (const next of resumed as AsyncIterable<LooseMessage>) {
    assert.ok(!ids.has(next.notification.id), "repeated");
    ids.add(next.notification.id);
    if (next.notification.text.startsWith(`Order ${last.id} `)) break;
  }
  for (const user_id of ["", "eve"]) {
    await assert.rejects(client.call("ListNotifications", { user_id }, own), { code: status.PERMISSION_DENIED });
    await assert.rejects(client.stream("StreamNotifications", { user_id }, own).toArray(), {
      code: status.PERMISSION_DENIED,
    });
  }
  assert.ok((await client.call("ListNotifications", { user_id: "fay" }, own)).notifications.length > 0);
});

test("order-service may charge with its key, and user-service may not", { timeout: 180_000 }, async () => {
  const client = paymentClient();
  const charge = { order_id: "o", user_id: "ada", amount_cents: 1 };
  const withKeyOf = (name: string) => ({ "x-service-key": developmentServiceKey(shop.secret, name) });
  assert.equal((await client.call("Charge", charge, withKeyOf("order-service"))).state, "STATE_SETTLED");
  await assert.rejects(client.call("Charge", charge, withKeyOf("user-service")), { code: status.UNAUTHENTICATED });
  await assert.rejects(client.call("ListPayments", {}, withKeyOf("order-service")), { code: status.UNAUTHENTICATED });
});
