import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { type Client, Code, ConnectError } from "@connectrpc/connect";
import { database, defineService, events } from "@tercel/service";
import { type TestedService, testService } from "@tercel/service/testing";
import { Payment_State, PaymentService } from "../gen/shop/payment/v1/payment_pb.ts";
import { createListPages } from "../shared/list-pages.ts";
import { createPaymentHandler } from "./payment-handler.ts";
import { createPaymentStore } from "./payment-store.ts";

let service: TestedService;
let payments: Client<typeof PaymentService>;
let nowMs: number;
/** Resolves when the event has been handled. */
let cancelOrder: (orderId: string) => Promise<void>;
beforeEach(async () => {
  nowMs = 1_000;
  const definition = defineService({
    needs: { db: database({ migrations: new URL("./migrations/", import.meta.url) }), events: events() },
    routes(router, { db }) {
      const store = createPaymentStore(db, () => nowMs);
      const pages = createListPages("payments", new Uint8Array(32));
      router.service(PaymentService, createPaymentHandler({ store, pages }));
      // As in the handler of the event.
      cancelOrder = (orderId) => db.transaction((tx) => store.refundIn(tx, { orderId, userId: "ada" }));
    },
  });
  service = await testService(definition);
  payments = service.client(PaymentService);
});
afterEach(() => service.stop());

const book = { orderId: "o1", userId: "ada", amountCents: 1_000n };

test("charges for an order once, even if requested several times", async () => {
  const first = await payments.charge(book);
  assert.equal(first.state, Payment_State.SETTLED);
  nowMs = 2_000;
  assert.deepEqual(await payments.charge(book), first);
  assert.deepEqual(await payments.getPayment({ paymentId: first.id }), first);
  assert.deepEqual((await payments.listPayments({})).payments, [first]);
});

test("two simultaneous charges for an order are one payment", async () => {
  const both = await Promise.all([payments.charge(book), payments.charge(book)]);
  assert.equal(both[0].id, both[1].id);
});

test("refuses another amount for the same order", async () => {
  await payments.charge(book);
  await assert.rejects(payments.charge({ ...book, amountCents: 1n }), { code: Code.AlreadyExists });
});

test("declines an amount of a million or more, also when it is repeated", async () => {
  const yacht = { ...book, amountCents: 100_000_000n };
  const declined = await payments.charge(yacht);
  assert.equal(declined.state, Payment_State.DECLINED);
  assert.match(declined.declineReason, /^amounts from 100000000 cents on are declined$/);
  assert.deepEqual(await payments.charge(yacht), declined);
  assert.equal(
    (await payments.charge({ ...book, orderId: "o2", amountCents: 99_999_999n })).state,
    Payment_State.SETTLED,
  );
});

test("refunds the payment of a cancelled order, and does not charge for it again", async () => {
  const { id } = await payments.charge(book);
  nowMs = 500;
  await cancelOrder("o1");
  await cancelOrder("o1");
  const refunded = await payments.getPayment({ paymentId: id });
  assert.equal(refunded.state, Payment_State.REFUNDED);
  // The clock was set back.
  assert.deepEqual(refunded.updateTime, refunded.createTime);
  assert.equal((await payments.charge(book)).state, Payment_State.REFUNDED);
});

test("does not make a charge that arrives after its order was cancelled", async () => {
  await cancelOrder("o1");
  const late = await payments.charge(book);
  assert.deepEqual([late.state, late.amountCents], [Payment_State.REFUNDED, 0n]);
});

test("pages return each payment of a user once, from the newest to the oldest", async () => {
  for (let nth = 1; nth <= 3; nth++) {
    await payments.charge({ ...book, orderId: `a${nth}` });
    await payments.charge({ ...book, orderId: `e${nth}`, userId: "eve" });
  }
  const first = await payments.listPayments({ userId: "ada", pageSize: 2 });
  const second = await payments.listPayments({ userId: "ada", pageSize: 2, pageToken: first.nextPageToken });
  assert.deepEqual(
    [...first.payments, ...second.payments].map(({ orderId }) => orderId),
    ["a3", "a2", "a1"],
  );
  assert.equal(second.nextPageToken, "");
  const ofEve = payments.listPayments({ userId: "eve", pageToken: first.nextPageToken });
  await assert.rejects(ofEve, { code: Code.InvalidArgument });
});

for (const { promise, call, message } of [
  {
    promise: "a charge without an order is refused",
    call: () => payments.charge({ ...book, orderId: "" }),
    message: "order_id: must not be empty",
  },
  {
    promise: "a charge without a user is refused",
    call: () => payments.charge({ ...book, userId: "" }),
    message: "user_id: must not be empty",
  },
  {
    promise: "a negative amount is refused",
    call: () => payments.charge({ ...book, amountCents: -1n }),
    message: "amount_cents: must be from 0 to 100000000000000",
  },
  {
    promise: "a negative page size is refused",
    call: () => payments.listPayments({ pageSize: -1 }),
    message: "page_size: must not be negative",
  },
]) {
  test(promise, () =>
    assert.rejects(call(), (error) => {
      assert.ok(error instanceof ConnectError);
      assert.deepEqual([error.code, error.rawMessage], [Code.InvalidArgument, message]);
      return true;
    }),
  );
}

test("an unknown payment is not found", async () => {
  await assert.rejects(payments.getPayment({ paymentId: "absent" }), { code: Code.NotFound });
});
