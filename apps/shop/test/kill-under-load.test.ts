// Long: it starts the whole shop, and each of its services again after a kill.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createNatsServer, freePorts, type ServerProcess, withoutNats } from "@tercel/test-support/servers";
import { type ServiceName, serviceNames } from "./development-secret.ts";
import { Inbox } from "./inbox.ts";
import { listAll } from "./list-all.ts";
import { createShopUnderTest, type StartedService } from "./shop-under-test.ts";

const callerCount = 4;
/** The time between two kills. */
const usersPerRound = 25;

/** The broker of the events, and what is killed in addition to the services. */
const carriers = [
  { name: "the embedded hub", skip: false, open: async () => undefined },
  { name: "NATS", skip: withoutNats, open: createNatsServer },
] as const;

for (const { name: carrier, skip, open } of carriers) {
  test(`kills of each service under load lose or duplicate no acknowledged write and no event, with ${carrier}`, {
    timeout: 280_000,
    skip,
  }, async (t) => {
    const shop = await createShopUnderTest();
    const nats = await open();
    t.after(async () => {
      await shop.end();
      await nats?.dispose();
    });
    await nats?.start();
    const set = nats === undefined ? [] : natsSettings(nats);
    const ports = await freePorts(serviceNames.length);
    // Each at its own address, so that its callers find it again.
    const start = (name: ServiceName): Promise<StartedService> =>
      shop.start(name, [...set, `service.port=${ports[serviceNames.indexOf(name)]}`]);
    const running = new Map<ServiceName, StartedService>();
    for (const name of serviceNames.toReversed()) running.set(name, await start(name));
    const addressOf = (name: ServiceName) => running.get(name)?.address ?? "";
    const users = shop.open("user.UserService", addressOf("user-service"));

    async function killAndRestart(victim: ServiceName | "nats"): Promise<void> {
      if (victim === "nats") {
        await nats?.kill();
        return nats?.start();
      }
      const service = running.get(victim) ?? assert.fail(`${victim} does not run`);
      service.process.signal("SIGKILL");
      await service.process.ended;
      running.set(victim, await start(victim));
    }

    /** Users whose creation was acknowledged. */
    const confirmed: string[] = [];
    let next = 0;
    for (const victim of nats === undefined ? serviceNames : ([...serviceNames, "nats"] as const)) {
      const goal = confirmed.length + usersPerRound;
      let restarted: Promise<void> | undefined;
      const create = async (): Promise<void> => {
        while (confirmed.length < goal || restarted === undefined) {
          const email = `user${next++}@example.org`;
          try {
            confirmed.push((await users.call("CreateUser", { name: "Ada", email })).user.id);
          } catch {
            // user-service was killed. The call may have taken effect or not.
          }
          if (confirmed.length >= goal - usersPerRound / 2) restarted ??= killAndRestart(victim);
        }
      };
      await Promise.all(Array.from({ length: callerCount }, create));
      await restarted;
    }

    const admin = await shop.tokenOf("admin");
    const stored = await listAll(shop.open("user.v1.UserService", addressOf("user-service")), "ListUsers", {}, admin);
    const ids = new Set(stored.map(({ id }) => id as string));
    for (const id of confirmed) assert.ok(ids.has(id), `the user ${id} was confirmed and is lost`);

    // Every user, acknowledged or not, has one order, one payment and one notification of each kind.
    const expected = [...ids].sort();
    const inbox = new Inbox(addressOf("notification-service"), admin);
    t.after(() => inbox.close());
    const notifications = await inbox.until(expected.length * 3);
    for (const kind of ["user.created", "order.placed", "payment.settled"]) {
      const notified = notifications.filter((one) => one.kind === kind).map(({ user_id }) => user_id);
      assert.deepEqual(notified.sort(), expected, kind);
    }
    const orders = shop.open("shop.order.v1.OrderService", addressOf("order-service"));
    const placed = await listAll(orders, "ListOrders", {}, admin);
    assert.deepEqual(placed.map(({ user_id }) => user_id).sort(), expected);
    const payments = shop.open("shop.payment.v1.PaymentService", addressOf("payment-service"));
    const made = await listAll(payments, "ListPayments", {}, admin);
    assert.deepEqual(
      made.map(({ user_id, state }) => `${user_id} ${state}`).sort(),
      expected.map((id) => `${id} STATE_SETTLED`),
    );
  });
}

function natsSettings({ port }: ServerProcess & { readonly port: number }): readonly string[] {
  return [
    "events.providers.embedded.enabled=false",
    "events.providers.nats.enabled=true",
    `events.providers.nats.url=nats://127.0.0.1:${port}`,
  ];
}
