import assert from "node:assert/strict";
import { test } from "node:test";
import type { LooseClient } from "./grpc-client.ts";
import { listAll } from "./list-all.ts";
import { createShopUnderTest } from "./shop-under-test.ts";

const callerCount = 4;

/** Creates users with several callers at once, until so many are made; each has to be created. */
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

test("each of two order-services is killed in turn under load, and every new user has its one order", {
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
    // It comes back before the other one is killed.
    instances.push(await shop.start("order-service"));
    if (instances.length === 4) break;
  }
  const orders = shop.open("shop.order.v1.OrderService", instances.at(-1)?.address ?? "");
  const admin = await shop.tokenOf("admin");
  // A call that was sent twice has not become two orders, and one that failed is made up for by its event.
  let placed: string[] = [];
  while (placed.length < ids.length) {
    placed = (await listAll(orders, "ListOrders", {}, admin)).map(({ user_id }) => user_id);
  }
  assert.deepEqual(placed.sort(), ids.sort());
});
