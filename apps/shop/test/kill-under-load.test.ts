import assert from "node:assert/strict";
import { test } from "node:test";
import { type ServiceName, serviceNames } from "../src/supervisor/development-secret.ts";
import type { LooseClient, LooseMessage } from "./grpc-client.ts";
import { createShopUnderTest, type ShopUnderTest, type StartedService } from "./shop-under-test.ts";

const callerCount = 4;
/** Between two kills. */
const usersPerRound = 25;

test("no acknowledged write and no event is lost or doubled when each service is killed under load", {
  timeout: 240_000,
}, async (t) => {
  const shop = await createShopUnderTest();
  t.after(() => shop.end());
  const running = new Map<ServiceName, StartedService>();
  for (const name of serviceNames.toReversed()) running.set(name, await shop.start(name));
  const addressOf = (name: ServiceName) => running.get(name)?.address ?? "";
  const users = shop.open("user.UserService", addressOf("user-service"));

  /** Users whose creation was confirmed. */
  const confirmed: string[] = [];
  let next = 0;
  for (const victim of serviceNames) {
    const goal = confirmed.length + usersPerRound;
    let isKilled = false;
    let restarted: Promise<StartedService> | undefined;
    const create = async (): Promise<void> => {
      while (confirmed.length < goal || !isKilled) {
        const email = `user${next++}@example.org`;
        try {
          confirmed.push((await users.call("CreateUser", { name: "Ada", email })).user.id);
        } catch {
          // user-service is the one that was killed; the call may have had its effect or not.
        }
        if (confirmed.length < goal - usersPerRound / 2 || isKilled) continue;
        isKilled = true;
        restarted = killAndRestart(shop, victim, running.get(victim));
      }
    };
    await Promise.all(Array.from({ length: callerCount }, create));
    if (restarted === undefined) assert.fail("nothing was killed");
    running.set(victim, await restarted);
  }

  const admin = await shop.tokenOf("admin");
  const stored = await listAll(
    shop.open("user.v1.UserService", addressOf("user-service")),
    "ListUsers",
    "users",
    admin,
  );
  const ids = new Set(stored.map(({ id }) => id as string));
  for (const id of confirmed) assert.ok(ids.has(id), `the user ${id} was confirmed and is lost`);

  // Whoever is there has one order, one payment and one notification of each kind, confirmed or not.
  const expected = [...ids].sort();
  const orders = await until(expected.length, () =>
    listAll(shop.open("shop.order.v1.OrderService", addressOf("order-service")), "ListOrders", "orders", admin),
  );
  assert.deepEqual(orders.map(({ user_id }) => user_id).sort(), expected);
  const inbox = shop.open("shop.notification.v1.NotificationService", addressOf("notification-service"));
  const notifications = await until(expected.length * 3, () =>
    listAll(inbox, "ListNotifications", "notifications", admin),
  );
  for (const kind of ["user.created", "order.placed", "payment.settled"]) {
    const notified = notifications.filter((one) => one.kind === kind).map(({ user_id }) => user_id);
    assert.deepEqual(notified.sort(), expected, kind);
  }
  const payments = await listAll(
    shop.open("shop.payment.v1.PaymentService", addressOf("payment-service")),
    "ListPayments",
    "payments",
    admin,
  );
  assert.deepEqual(
    payments.map(({ user_id, state }) => `${user_id} ${state}`).sort(),
    expected.map((id) => `${id} STATE_SETTLED`),
  );
});

/** At the same place, where those who call it find it again. */
async function killAndRestart(shop: ShopUnderTest, name: ServiceName, service: StartedService | undefined) {
  if (service === undefined) assert.fail(`${name} does not run`);
  service.process.signal("SIGKILL");
  await service.process.ended;
  return shop.start(name, [`service.port=${service.address.split(":")[1]}`]);
}

async function listAll(client: LooseClient, method: string, field: string, headers: Record<string, string>) {
  const found: LooseMessage[] = [];
  let page_token = "";
  do {
    const page = await client.call(method, { page_size: 100, page_token }, headers);
    found.push(...page[field]);
    page_token = page.next_page_token;
  } while (page_token !== "");
  return found;
}

/** Lists again until there is so much of it: events take their time after a kill. */
async function until(count: number, list: () => Promise<LooseMessage[]>): Promise<LooseMessage[]> {
  for (;;) {
    const found = await list();
    if (found.length >= count) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
