import assert from "node:assert/strict";
import { test } from "node:test";
import type { LooseClient } from "./grpc-client.ts";
import { listAll } from "./list-all.ts";
import { createShopUnderTest } from "./shop-under-test.ts";

const callerCount = 4;

/** Creates this many users with several callers at once. Each creation must succeed. */
async function createUsers(users: LooseClient, from: number, count: number, onCreated: (made: number) => void) {
  const ids: string[] = [];
  let next = from;
  const caller = async (): Promise<void> => {
    while (next < from + count) {
      const { user } = await users.call("CreateUser", { name: "Ada", email: `ada${next++}@example.org` });
      ids.push(user.id);
      onCreated(ids.length);
    }
  };
  await Promise.all(Array.from({ length: callerCount }, caller));
  return ids;
}

test("kills of two order-services in turn under load leave each new user with exactly one order", {
  timeout: 180_000,
}, async (t) => {
  const shop = await createShopUnderTest();
  t.after(() => shop.end());
  await shop.start("payment-service");
  const instances = [await shop.start("order-service"), await shop.start("order-service")];
  const usersService = await shop.start("user-service");
  const users = shop.open("user.UserService", usersService.address);

  const ids: string[] = [];
  for (const victim of instances) {
    const kill = (made: number): void => {
      if (made === 10) victim.process.signal("SIGKILL");
    };
    ids.push(...(await createUsers(users, ids.length, 30, kill)));
    assert.equal(await victim.process.ended, "SIGKILL");
    // It has restarted before the other one is killed.
    instances.push(await shop.start("order-service"));
    if (instances.length === 4) break;
  }
  const orders = shop.open("shop.order.v1.OrderService", instances.at(-1)?.address ?? "");
  const admin = await shop.tokenOf("admin");
  // A call that was sent twice created one order, and the event replaced a failed call.
  let placed: string[] = [];
  while (placed.length < ids.length) {
    placed = (await listAll(orders, "ListOrders", {}, admin)).map(({ user_id }) => user_id);
  }
  assert.deepEqual(placed.sort(), ids.sort());
});
