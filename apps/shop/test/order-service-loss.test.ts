import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { connect, type LooseClient, type LooseMessage } from "./grpc-client.ts";
import { endShopProcess, startShopProcess } from "./shop-process.ts";
import { type BearerHeaders, bearerIn, withSideBySide } from "./shop-under-test.ts";

const callerCount = 4;

/** Creates users with several callers at once, until so many are made; each has to be answered. */
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

async function allOrders(orders: LooseClient, admin: BearerHeaders): Promise<LooseMessage[]> {
  const found: LooseMessage[] = [];
  let page_token = "";
  do {
    const page = await orders.call("ListOrders", { page_size: 100, page_token }, admin);
    found.push(...page.orders);
    page_token = page.next_page_token;
  } while (page_token !== "");
  return found;
}

test("each of two order-services is killed in turn under load, and every new user has its one order", {
  timeout: 60_000,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "tercel-shop-loss-"));
  const dataDir = join(folder, "data");
  const shop = startShopProcess("main", withSideBySide([`--data-dir=${dataDir}`]));
  t.after(async () => {
    await endShopProcess(shop);
    rmSync(folder, { recursive: true });
  });
  await shop.says("Ctrl-C closes the shop.");
  const orderService = async (nth: number) => shop.record({ event: "listening", service: "order-service" }, nth);
  const { address } = await shop.record({ event: "listening", service: "user-service" });
  const [first, second] = [await orderService(1), await orderService(2)];
  const users = connect("user.UserService", address as string);
  t.after(() => users.close());

  const ids: string[] = [];
  for (const [nth, victim] of [first, second].entries()) {
    const kill = (made: number): void => {
      if (made === 10) process.kill(victim.pid as number, "SIGKILL");
    };
    ids.push(...(await createUsers(users, ids.length, 30, kill)));
    // It comes back, and others are told, before the other one is killed.
    const again = await orderService(3 + nth);
    assert.equal(again.address, victim.address);
    await shop.record({ event: "registered", service: "order-service" }, 3 + nth);
  }
  // Each is told one way or the other before CreateUser is answered, though the log may come a little later.
  for (const id of ids) await shop.record({ userId: id });
  const failed = shop.records().filter(({ event }) => event === "welcome_order_failed");
  assert.deepEqual(failed, []);
  const orders = connect("shop.order.v1.OrderService", first.address as string);
  t.after(() => orders.close());
  const admin = await bearerIn(dataDir, { role: "admin", subject: "developer", lifeMinutes: 5 });
  // A call that was sent twice has not become two orders.
  assert.deepEqual((await allOrders(orders, admin)).map(({ user_id }) => user_id).sort(), [...ids].sort());
});
