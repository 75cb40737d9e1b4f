import assert from "node:assert/strict";
import type { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, test } from "node:test";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type Client, Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { Order_State, OrderService } from "../gen/shop/order/v1/order_pb.ts";
import { openDatabase } from "../storage/open-database.ts";
import { createOrderHandler } from "./order-handler.ts";
import { createOrderStore, orderMigrations } from "./order-store.ts";

const pen = { sku: "pen", quantity: 2, unitPriceCents: 150n };
const ink = { sku: "ink", quantity: 1, unitPriceCents: 999n };
const unknownId = "00000000-0000-4000-8000-000000000000";

let database: DatabaseSync;
let nowMs: number;
let orders: Client<typeof OrderService>;
beforeEach(() => {
  nowMs = 5_000;
  database = openDatabase(":memory:", orderMigrations);
  const handler = createOrderHandler(createOrderStore(database, () => nowMs));
  orders = createClient(
    OrderService,
    createRouterTransport(({ service }) => service(OrderService, handler)),
  );
});
afterEach(() => database.close());

test("a placed order has an id, its items, its total and its time, and can be read again", async () => {
  const order = await orders.createOrder({ userId: "ada", items: [pen, ink] });
  assert.match(order.id, /^[0-9a-f-]{36}$/);
  assert.equal(order.userId, "ada");
  assert.equal(order.state, Order_State.PLACED);
  assert.deepEqual(
    order.items.map(({ sku, quantity, unitPriceCents }) => ({ sku, quantity, unitPriceCents })),
    [pen, ink],
  );
  assert.equal(order.totalCents, 1_299n);
  assert.ok(order.createTime && order.updateTime);
  assert.equal(timestampMs(order.createTime), 5_000);
  assert.equal(timestampMs(order.updateTime), 5_000);
  assert.deepEqual(await orders.getOrder({ orderId: order.id }), order);
});

test("the largest order has an exact total", async () => {
  const item = { sku: "yacht", quantity: 10_000, unitPriceCents: 100_000_000n };
  const order = await orders.createOrder({ userId: "ada", items: Array.from({ length: 100 }, () => item) });
  assert.equal(order.totalCents, 100_000_000_000_000n);
});

test("a repeated request gives the first order again", async () => {
  const first = await orders.createOrder({ userId: "ada", items: [pen], requestId: "r1" });
  nowMs = 6_000;
  assert.deepEqual(await orders.createOrder({ userId: "ada", items: [pen], requestId: "r1" }), first);
  assert.equal((await orders.listOrders({})).orders.length, 1);
});

test("a request id is one user's own, and none at all makes a new order each time", async () => {
  await orders.createOrder({ userId: "ada", items: [pen], requestId: "r1" });
  await orders.createOrder({ userId: "eve", items: [pen], requestId: "r1" });
  await orders.createOrder({ userId: "eve", items: [pen] });
  await orders.createOrder({ userId: "eve", items: [pen] });
  assert.equal((await orders.listOrders({})).orders.length, 4);
});

test("a cancelled order stays cancelled, and cancelling it again changes nothing", async () => {
  const { id } = await orders.createOrder({ userId: "ada", items: [pen] });
  nowMs = 6_000;
  const cancelled = await orders.cancelOrder({ orderId: id });
  assert.equal(cancelled.state, Order_State.CANCELLED);
  assert.ok(cancelled.updateTime);
  assert.equal(timestampMs(cancelled.updateTime), 6_000);
  nowMs = 7_000;
  assert.deepEqual(await orders.cancelOrder({ orderId: id }), cancelled);
});

test("while the clock is set back, an order is not cancelled before it was placed", async () => {
  const placed = await orders.createOrder({ userId: "ada", items: [pen] });
  nowMs = 1_000;
  const cancelled = await orders.cancelOrder({ orderId: placed.id });
  assert.equal(cancelled.state, Order_State.CANCELLED);
  assert.deepEqual(cancelled.createTime, placed.createTime);
  assert.deepEqual(cancelled.updateTime, placed.createTime);
});

test("pages lead through one user's orders from the newest to the oldest, each once", async () => {
  for (let index = 1; index <= 5; index++) {
    await orders.createOrder({ userId: "ada", items: [{ ...pen, sku: `a${index}` }] });
    await orders.createOrder({ userId: "eve", items: [{ ...pen, sku: `e${index}` }] });
  }
  const seen: string[][] = [];
  let pageToken = "";
  do {
    const page = await orders.listOrders({ userId: "ada", pageSize: 2, pageToken });
    seen.push(page.orders.map((order) => order.items[0]?.sku ?? ""));
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  assert.deepEqual(seen, [["a5", "a4"], ["a3", "a2"], ["a1"]]);
});

test("a page that ends with the last order names no next page", async () => {
  for (let index = 0; index < 2; index++) await orders.createOrder({ userId: "ada", items: [pen] });
  assert.equal((await orders.listOrders({ userId: "ada", pageSize: 2 })).nextPageToken, "");
});

test("a page has 10 orders unless asked otherwise and 100 at most", async () => {
  for (let index = 0; index < 102; index++) await orders.createOrder({ userId: "ada", items: [pen] });
  const sizeOf = async (pageSize: number) => (await orders.listOrders({ pageSize })).orders.length;
  assert.deepEqual([await sizeOf(0), await sizeOf(1), await sizeOf(100), await sizeOf(101)], [10, 1, 100, 100]);
});

const longId = "x".repeat(65);
const refusals: { promise: string; call: () => Promise<unknown>; code: Code; message: string }[] = [
  {
    promise: "an order without a user is refused",
    call: () => orders.createOrder({ items: [pen] }),
    code: Code.InvalidArgument,
    message: "user_id: must not be empty",
  },
  {
    promise: "an order of nothing is refused",
    call: () => orders.createOrder({ userId: "ada" }),
    code: Code.InvalidArgument,
    message: "items: must not be empty",
  },
  {
    promise: "an order of 101 items is refused",
    call: () => orders.createOrder({ userId: "ada", items: Array.from({ length: 101 }, () => pen) }),
    code: Code.InvalidArgument,
    message: "items: must have at most 100 entries",
  },
  {
    promise: "an item without an article number is refused by its place",
    call: () => orders.createOrder({ userId: "ada", items: [pen, { ...pen, sku: "" }] }),
    code: Code.InvalidArgument,
    message: "items[1].sku: must not be empty",
  },
  {
    promise: "a quantity of 0 is refused",
    call: () => orders.createOrder({ userId: "ada", items: [{ ...pen, quantity: 0 }] }),
    code: Code.InvalidArgument,
    message: "items[0].quantity: must be from 1 to 10000",
  },
  {
    promise: "a quantity of 10,001 is refused",
    call: () => orders.createOrder({ userId: "ada", items: [{ ...pen, quantity: 10_001 }] }),
    code: Code.InvalidArgument,
    message: "items[0].quantity: must be from 1 to 10000",
  },
  {
    promise: "a negative price is refused",
    call: () => orders.createOrder({ userId: "ada", items: [{ ...pen, unitPriceCents: -1n }] }),
    code: Code.InvalidArgument,
    message: "items[0].unit_price_cents: must be from 0 to 100000000",
  },
  {
    promise: "a price beyond the largest is refused",
    call: () => orders.createOrder({ userId: "ada", items: [{ ...pen, unitPriceCents: 100_000_001n }] }),
    code: Code.InvalidArgument,
    message: "items[0].unit_price_cents: must be from 0 to 100000000",
  },
  {
    promise: "a request id of 65 characters is refused",
    call: () => orders.createOrder({ userId: "ada", items: [pen], requestId: longId }),
    code: Code.InvalidArgument,
    message: "request_id: must have at most 64 characters",
  },
  {
    promise: "a request id that stands for another order is refused",
    call: async () => {
      await orders.createOrder({ userId: "ada", items: [pen], requestId: "r1" });
      return orders.createOrder({ userId: "ada", items: [{ ...pen, quantity: 3 }], requestId: "r1" });
    },
    code: Code.AlreadyExists,
    message: "request_id: another order was placed with this id",
  },
  {
    promise: "a look-up without an id is refused",
    call: () => orders.getOrder({}),
    code: Code.InvalidArgument,
    message: "order_id: must not be empty",
  },
  {
    promise: "an unknown order is not found",
    call: () => orders.getOrder({ orderId: unknownId }),
    code: Code.NotFound,
    message: "order_id: no order has this id",
  },
  {
    promise: "an unknown order cannot be cancelled",
    call: () => orders.cancelOrder({ orderId: unknownId }),
    code: Code.NotFound,
    message: "order_id: no order has this id",
  },
  {
    promise: "a negative page size is refused",
    call: () => orders.listOrders({ pageSize: -1 }),
    code: Code.InvalidArgument,
    message: "page_size: must not be negative",
  },
  {
    promise: "an invented page token is refused",
    call: () => orders.listOrders({ pageToken: "next" }),
    code: Code.InvalidArgument,
    message: "page_token: does not belong to this list",
  },
  {
    promise: "a user id of 65 characters is refused",
    call: () => orders.listOrders({ userId: longId }),
    code: Code.InvalidArgument,
    message: "user_id: must have at most 64 characters",
  },
];

for (const { promise, call, code, message } of refusals) {
  test(promise, async () => {
    await assert.rejects(call(), (error) => {
      assert.ok(error instanceof ConnectError);
      assert.equal(Code[error.code], Code[code]);
      assert.equal(error.rawMessage, message);
      return true;
    });
  });
}

test("an order that cannot be stored whole is not stored at all", async () => {
  database.exec(
    "CREATE TRIGGER full BEFORE INSERT ON order_items WHEN new.position = 1 BEGIN SELECT RAISE (ABORT, 'full'); END",
  );
  await assert.rejects(orders.createOrder({ userId: "ada", items: [pen, ink] }));
  assert.deepEqual((await orders.listOrders({})).orders, []);
});
