import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, ConnectError, createClient, createRouterTransport, type HandlerContext } from "@connectrpc/connect";
import { type CreateOrderRequest, OrderService } from "../gen/shop/order/v1/order_pb.ts";
import { createWelcomeOrder, welcomeTimeoutMs } from "./welcome-order.ts";

function withOrderService(createOrder: (request: CreateOrderRequest, context: HandlerContext) => Promise<object>) {
  const lines: Record<string, unknown>[] = [];
  const transport = createRouterTransport(({ service }) => service(OrderService, { createOrder }));
  const at =
    (level: string) =>
    (message: string, fields: object = {}) =>
      void lines.push({ level, message, ...fields });
  const log = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
  return { lines, place: createWelcomeOrder(createClient(OrderService, transport), log) };
}

test("the order belongs to the user, costs nothing and is safe to repeat", async () => {
  let seen: CreateOrderRequest | undefined;
  const { lines, place } = withOrderService(async (request) => {
    seen = request;
    return { id: "o1" };
  });
  await place("u1", undefined);
  assert.equal(seen?.userId, "u1");
  assert.equal(seen?.requestId, "welcome");
  assert.deepEqual(
    seen?.items.map(({ sku, quantity, unitPriceCents }) => ({ sku, quantity, unitPriceCents })),
    [{ sku: "welcome-gift", quantity: 1, unitPriceCents: 0n }],
  );
  assert.deepEqual(
    lines.map(({ level, message, userId, orderId }) => ({ level, message, userId, orderId })),
    [{ level: "info", message: "welcome order placed", userId: "u1", orderId: "o1" }],
  );
});

test("a failure of order-service causes a warning only", async () => {
  const { lines, place } = withOrderService(async () => {
    throw new ConnectError("out of stock", Code.Unavailable);
  });
  await place("u1", undefined);
  assert.equal(lines.length, 1);
  assert.equal(lines[0]?.level, "warn");
  assert.equal(lines[0]?.message, "welcome order failed; it will be placed later");
  assert.equal(lines[0]?.userId, "u1");
  assert.match(String(lines[0]?.error), /\[unavailable\] out of stock/);
});

test("gives up at the deadline if order-service hangs", async () => {
  const { lines, place } = withOrderService(
    (_request, context) => new Promise((_resolve, reject) => context.signal.addEventListener("abort", reject)),
  );
  await place("u1", 20);
  assert.equal(lines[0]?.timeoutMs, 10);
  assert.match(String(lines[0]?.error), /deadline_exceeded/);
});

const deadlines = [
  { promise: "a caller without a deadline waits a second", remainingMs: undefined, timeoutMs: 1_000 },
  { promise: "a caller with much time waits a second", remainingMs: 60_000, timeoutMs: 1_000 },
  { promise: "two seconds are just enough for the whole second", remainingMs: 2_000, timeoutMs: 1_000 },
  { promise: "a caller in a hurry waits half of its time", remainingMs: 1_001, timeoutMs: 500 },
  { promise: "a deadline that has just passed does not become none", remainingMs: 0, timeoutMs: 1 },
  { promise: "a deadline that is long past does not become none", remainingMs: -5, timeoutMs: 1 },
];

for (const { promise, remainingMs, timeoutMs } of deadlines) {
  test(promise, () => assert.equal(welcomeTimeoutMs(remainingMs), timeoutMs));
}
