import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { status } from "@grpc/grpc-js";
import type { LooseClient, LooseMessage } from "./grpc-client.ts";
import { alone, createShopUnderTest, type ShopUnderTest } from "./shop-under-test.ts";

let shop: ShopUnderTest;
beforeEach(async () => {
  shop = await createShopUnderTest();
});
afterEach(() => shop.end());

/** user-service, order-service and payment-service. */
async function startAll() {
  const names = ["payment-service", "order-service", "user-service"] as const;
  const [payments, orders, users] = await Promise.all(names.map((name) => shop.start(name)));
  if (payments === undefined || orders === undefined || users === undefined) assert.fail();
  return {
    processes: [users.process, orders.process, payments.process],
    ordersProcess: orders.process,
    usersProcess: users.process,
    orders: shop.open("shop.order.v1.OrderService", orders.address),
    users: shop.open("user.UserService", users.address),
  };
}

async function startUsers(): Promise<LooseClient> {
  return shop.open("user.UserService", (await shop.start("user-service", alone)).address);
}

async function ordersOf(orders: LooseClient, userId: string): Promise<LooseMessage[]> {
  const admin = await shop.tokenOf("admin");
  return (await orders.call("ListOrders", { user_id: userId }, admin)).orders;
}

async function namesOf(stream: AsyncIterable<LooseMessage>): Promise<string[]> {
  const names: string[] = [];
  for await (const user of stream) names.push(user.name);
  return names;
}

/** Resolves to the orders of a user when there are any. */
async function untilOrdered(orders: LooseClient, userId: string): Promise<LooseMessage[]> {
  for (;;) {
    const found = await ordersOf(orders, userId);
    if (found.length > 0) return found;
  }
}

test("a user is created, read, changed, listed and deleted by another gRPC client", { timeout: 180_000 }, async () => {
  const users = await startUsers();
  const { user } = await users.call("CreateUser", { name: "Ada", email: "ada@example.org" });
  assert.match(user.id, /^[0-9a-f-]{36}$/);
  assert.equal(user.name, "Ada");
  assert.equal(user.email, "ada@example.org");
  assert.match(user.created_at, /^[0-9]{10}$/);
  assert.equal(user.updated_at, user.created_at);
  assert.deepEqual((await users.call("GetUser", { user_id: user.id })).user, user);

  const changed = await users.call("UpdateUser", { user_id: user.id, name: "Ada Lovelace" });
  assert.equal(changed.user.name, "Ada Lovelace");
  assert.equal(changed.user.email, "ada@example.org");

  const list = await users.call("ListUsers", { filter: "LOVE" });
  assert.deepEqual(list, { users: [changed.user], total: 1, page: 1, page_size: 10 });

  assert.deepEqual(await users.call("DeleteUser", { user_id: user.id }), { success: true });
  await assert.rejects(users.call("GetUser", { user_id: user.id }), { code: status.NOT_FOUND });
});

test("a hundred simultaneous reads right after the start all succeed", {
  timeout: 180_000,
}, async () => {
  const users = await startUsers();
  const { user } = await users.call("CreateUser", { name: "Ada", email: "ada@example.org" });
  const read = await Promise.all(Array.from({ length: 100 }, () => users.call("GetUser", { user_id: user.id })));
  assert.deepEqual(
    read.map((one) => one.user),
    Array.from({ length: 100 }, () => user),
  );
});

test("errors have their status and the name of the field", { timeout: 180_000 }, async () => {
  const users = await startUsers();
  await users.call("CreateUser", { name: "Ada", email: "ada@example.org" });
  await assert.rejects(users.call("CreateUser", { name: "", email: "a@example.org" }), {
    code: status.INVALID_ARGUMENT,
    details: "name: must not be empty",
  });
  await assert.rejects(users.call("CreateUser", { name: "Eve", email: "ADA@example.org" }), {
    code: status.ALREADY_EXISTS,
    details: "email: another user has this address",
  });
});

test("a stream has every match and stops when its client cancels", { timeout: 180_000 }, async () => {
  const users = await startUsers();
  const names = Array.from({ length: 150 }, (_, index) => `user ${index}`);
  for (const name of names) await users.call("CreateUser", { name, email: `${name.replace(" ", "")}@example.org` });
  assert.deepEqual(await namesOf(users.stream("StreamUsers", { filter: "USER " })), names);
  assert.deepEqual(await namesOf(users.stream("StreamUsers", { filter: "user 14" })), [
    "user 14",
    ...Array.from({ length: 10 }, (_, index) => `user 14${index}`),
  ]);

  const stream = users.stream("StreamUsers", {});
  await assert.rejects(
    async () => {
      for await (const _ of stream) stream.cancel();
    },
    { code: status.CANCELLED },
  );
  assert.equal((await users.call("ListUsers", {})).total, 150);
});

test("a new user has one order, which the other services placed and charged", { timeout: 180_000 }, async () => {
  const { users, orders, usersProcess } = await startAll();
  const { user } = await users.call("CreateUser", { name: "Ada", email: "ada@example.org" });
  const [order, ...more] = await ordersOf(orders, user.id);
  assert.ok(order !== undefined && more.length === 0);
  assert.equal(order.user_id, user.id);
  assert.equal(order.state, "STATE_PLACED");
  assert.notEqual(order.payment_id, "");
  assert.deepEqual(order.items, [{ sku: "welcome-gift", quantity: 1, unit_price_cents: "0" }]);
  assert.deepEqual(await orders.call("GetOrder", { order_id: order.id }, await shop.tokenOf("admin")), order);
  const record = await usersProcess.record({ message: "welcome order placed" });
  assert.equal(record.orderId, order.id);
});

test("a user that is created during an outage of order-service gets the order afterwards", {
  timeout: 180_000,
}, async () => {
  await shop.start("payment-service");
  const first = await shop.start("order-service");
  const users = await shop.start("user-service");
  const client = shop.open("user.UserService", users.address);
  first.process.signal("SIGTERM");
  assert.equal(await first.process.ended, 0);

  const alone = await client.call("CreateUser", { name: "Ada", email: "ada@example.org" });
  assert.equal(alone.user.name, "Ada");
  const warning = await users.process.record({ message: "welcome order failed; it will be placed later" });
  assert.equal(warning.level, "warn");
  assert.equal(warning.userId, alone.user.id);

  const again = await shop.start("order-service");
  const orders = shop.open("shop.order.v1.OrderService", again.address);
  assert.equal((await untilOrdered(orders, alone.user.id)).length, 1);
});

test("users and orders survive a restart of their services", { timeout: 180_000 }, async () => {
  const before = await startAll();
  const { user } = await before.users.call("CreateUser", { name: "Ada", email: "ada@example.org" });
  for (const process of before.processes) {
    process.signal("SIGTERM");
    assert.equal(await process.ended, 0);
  }
  const after = await startAll();
  assert.deepEqual((await after.users.call("GetUser", { user_id: user.id })).user, user);
  assert.equal((await ordersOf(after.orders, user.id)).length, 1);
});

test("an acknowledged user survives a kill", { timeout: 180_000 }, async () => {
  const before = await shop.start("user-service", alone);
  const users = shop.open("user.UserService", before.address);
  const { user } = await users.call("CreateUser", { name: "Ada", email: "ada@example.org" });
  before.process.signal("SIGKILL");
  assert.equal(await before.process.ended, "SIGKILL");
  const client = await startUsers();
  assert.deepEqual((await client.call("GetUser", { user_id: user.id })).user, user);
});

test("data is readable by its owner only", { timeout: 180_000 }, async () => {
  const folder = join(shop.dataDir, "new");
  await shop.start("user-service", alone, { SHOP_DATA: folder });
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  assert.equal(statSync(join(folder, "users.db")).mode & 0o077, 0);
});

test("500 calls at once on one connection all succeed", { timeout: 180_000 }, async () => {
  // With the default rate limits of the shop.
  const { address } = await shop.start("user-service", [...alone, "rate_limit.enabled=true"]);
  const users = shop.open("user.v1.UserService", address);
  const admin = await shop.tokenOf("admin");
  const calls = Array.from({ length: 500 }, () => users.call("ListUsers", { page_size: 1 }, admin));
  const answers = await Promise.all(calls);
  assert.deepEqual(answers, Array(500).fill({ users: [], next_page_token: "", total_count: 0 }));
});
