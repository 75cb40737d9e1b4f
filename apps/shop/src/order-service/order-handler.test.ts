import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type Client, Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { database, defineService, events } from "@tercel/service";
import { type TestedService, testService } from "@tercel/service/testing";
import { Order_State, OrderService } from "../gen/shop/order/v1/order_pb.ts";
import { type ChargeRequest, Payment_State, PaymentService } from "../gen/shop/payment/v1/payment_pb.ts";
import { createListPages } from "../shared/list-pages.ts";
import { createOrderHandler } from "./order-handler.ts";
import { createOrderStore, type OrderStore } from "./order-store.ts";
import { createSettlement, type Settlement } from "./settlement.ts";

const pen = { sku: "pen", quantity: 2, unitPriceCents: 150n };
const ink = { sku: "ink", quantity: 1, unitPriceCents: 999n };
const unknownId = "00000000-0000-4000-8000-000000000000";

let service: TestedService;
let nowMs: number;
let store: OrderStore;
let settlement: Settlement;
let orders: Client<typeof OrderService>;
/** A stub of payment-service. */
let charge: (request: ChargeRequest) => { id: string; state: Payment_State; declineReason?: string };
let charges: ChargeRequest[];
beforeEach(async () => {
  nowMs = 5_000;
  charges = [];
  charge = () => ({ id: "p1", state: Payment_State.SETTLED });
  const payments = createClient(
    PaymentService,
    createRouterTransport(({ service }) =>
      service(PaymentService, {
        charge(request) {
          charges.push(request);
          return charge(request);
        },
      }),
    ),
  );
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const definition = defineService({
    needs: { db: database({ migrations: new URL("./migrations/", import.meta.url) }), events: events() },
    routes(router, parts) {
      store = createOrderStore(parts.db, () => nowMs);
      settlement = createSettlement({ store, payments, log, nowMs: () => nowMs });
      const pages = createListPages("orders", new Uint8Array(32));
      router.service(OrderService, createOrderHandler({ store, settlement, pages }));
    },
  });
  service = await testService(definition);
  orders = service.client(OrderService);
});
afterEach(() => service.stop());

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

test("a repeated request returns the first order", async () => {
  const first = await orders.createOrder({ userId: "ada", items: [pen], requestId: "r1" });
  nowMs = 6_000;
  assert.deepEqual(await orders.createOrder({ userId: "ada", items: [pen], requestId: "r1" }), first);
  assert.equal((await orders.listOrders({})).orders.length, 1);
});

test("a request id belongs to one user, and each request without one creates an order", async () => {
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

test("the time of a cancellation is not before that of the order, even if the clock was set back", async () => {
  const placed = await orders.createOrder({ userId: "ada", items: [pen] });
  nowMs = 1_000;
  const cancelled = await orders.cancelOrder({ orderId: placed.id });
  assert.equal(cancelled.state, Order_State.CANCELLED);
  assert.deepEqual(cancelled.createTime, placed.createTime);
  assert.deepEqual(cancelled.updateTime, placed.createTime);
});

test("pages return each order of a user once, from the newest to the oldest", async () => {
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

test("a page with the last order has no next_page_token", async () => {
  for (let index = 0; index < 2; index++) await orders.createOrder({ userId: "ada", items: [pen] });
  assert.equal((await orders.listOrders({ userId: "ada", pageSize: 2 })).nextPageToken, "");
});

test("a page has 10 orders by default and 100 at most", async () => {
  for (let index = 0; index < 102; index++) await orders.createOrder({ userId: "ada", items: [pen] });
  const sizeOf = async (pageSize: number) => (await orders.listOrders({ pageSize })).orders.length;
  assert.deepEqual([await sizeOf(0), await sizeOf(1), await sizeOf(100), await sizeOf(101)], [10, 1, 100, 100]);
});

const longId = "x".repeat(65);
const refusals: { promise: string; call: () => Promise<unknown>; code: Code; message: string | RegExp }[] = [
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
    message: /page_token/,
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
      if (typeof message === "string") assert.equal(error.rawMessage, message);
      else assert.match(error.rawMessage, message);
      return true;
    });
  });
}

test("charges for an order once, with its total, and stores its payment", async () => {
  const order = await orders.createOrder({ userId: "ada", items: [pen, ink], requestId: "r1" });
  assert.equal(order.paymentId, "p1");
  await orders.createOrder({ userId: "ada", items: [pen, ink], requestId: "r1" });
  assert.deepEqual(
    charges.map(({ orderId, userId, amountCents }) => ({ orderId, userId, amountCents })),
    [{ orderId: order.id, userId: "ada", amountCents: 1_299n }],
  );
});

test("a declined payment cancels the order with its reason, and a repeated request returns the cancelled order", async () => {
  charge = () => ({ id: "p1", state: Payment_State.DECLINED, declineReason: "no money" });
  const order = await orders.createOrder({ userId: "ada", items: [pen], requestId: "r1" });
  assert.deepEqual([order.state, order.cancelReason, order.paymentId], [Order_State.CANCELLED, "no money", ""]);
  assert.deepEqual(await orders.createOrder({ userId: "ada", items: [pen], requestId: "r1" }), order);
});

test("a charge that can never succeed cancels the order", async () => {
  charge = () => {
    throw new ConnectError("another amount", Code.AlreadyExists);
  };
  const order = await orders.createOrder({ userId: "ada", items: [pen] });
  assert.deepEqual([order.state, order.cancelReason], [Order_State.CANCELLED, "another amount"]);
});

for (const code of [Code.Unavailable, Code.DeadlineExceeded, Code.Internal]) {
  test(`a charge with an unknown outcome (${Code[code]}) leaves the order pending, and it is settled later`, async () => {
    charge = () => {
      throw new ConnectError("away", code);
    };
    const order = await orders.createOrder({ userId: "ada", items: [pen] });
    assert.equal(order.state, Order_State.PENDING);
    charge = () => ({ id: "p2", state: Payment_State.SETTLED });
    nowMs += 3_000;
    await settleOnce();
    const settled = await orders.getOrder({ orderId: order.id });
    assert.deepEqual([settled.state, settled.paymentId], [Order_State.PLACED, "p2"]);
  });
}

test("an order that was pending when the clock was set back is settled at once", async () => {
  charge = () => {
    throw new ConnectError("away", Code.Unavailable);
  };
  const { id } = await orders.createOrder({ userId: "ada", items: [pen] });
  charge = () => ({ id: "p2", state: Payment_State.SETTLED });
  nowMs -= 3_600_000;
  await settleOnce();
  assert.equal((await orders.getOrder({ orderId: id })).state, Order_State.PLACED);
});

/** Settles the pending orders once. */
async function settleOnce(): Promise<void> {
  const ending = new AbortController();
  const running = settlement.run(ending.signal);
  while ((await store.pendingFor(3_000, 1)).length > 0) await new Promise((resolve) => setImmediate(resolve));
  ending.abort();
  await running.catch(() => {});
}

test("cancels an order that could not be charged for within a quarter of an hour", async () => {
  charge = () => {
    throw new ConnectError("away", Code.Unavailable);
  };
  const { id } = await orders.createOrder({ userId: "ada", items: [pen] });
  nowMs += 15 * 60_000;
  await settleOnce();
  const order = await orders.getOrder({ orderId: id });
  assert.deepEqual([order.state, order.cancelReason], [Order_State.CANCELLED, "the payment could not be made in time"]);
});

test("an order that its user cancelled stays cancelled when its payment arrives", async () => {
  charge = () => {
    throw new ConnectError("away", Code.Unavailable);
  };
  const { id } = await orders.createOrder({ userId: "ada", items: [pen] });
  await orders.cancelOrder({ orderId: id });
  assert.equal((await store.place(id, "late"))?.state, "cancelled");
});
