// Long: it starts services twice, and restarts each under load.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createDiscoveryResolver } from "@tercel/discovery";
import { createEmbeddedRegistry } from "@tercel/discovery/embedded";
import { createChannel, createClient } from "@tercel/grpc";
import { UserService } from "../src/gen/user/user_pb.ts";
import { type ServiceName, serviceNames } from "./development-secret.ts";
import { createShopUnderTest, type StartedService, silentLog } from "./shop-under-test.ts";

test("a rolling restart of all four services under load loses no call", { timeout: 240_000 }, async (t) => {
  const shop = await createShopUnderTest();
  const registry = createEmbeddedRegistry({ target: shop.registry, log: silentLog });
  const channel = createChannel("discovery:///user-service", {
    resolvers: [createDiscoveryResolver(registry)],
    serviceConfig: { loadBalancingConfig: [{ round_robin: {} }] },
    defaultTimeoutMs: 15_000,
    log: silentLog,
  });
  t.after(async () => {
    await channel.close();
    await registry.close();
    await shop.end();
  });
  const running = new Map<ServiceName, StartedService>();
  for (const name of serviceNames.toReversed()) running.set(name, await shop.start(name));
  const users = createClient(UserService, channel);

  let begun = 0;
  let made = 0;
  let isOver = false;
  let goal = { count: 0, reach: () => {} };
  const failures: unknown[] = [];
  const load = async (): Promise<void> => {
    while (!isOver) {
      begun += 1;
      await users.createUser({ name: "Ada", email: `ada${begun}@example.org` }).catch((error) => failures.push(error));
      made += 1;
      if (made >= goal.count) goal.reach();
    }
  };
  /** Resolves after this many further calls. */
  const further = (count: number) => new Promise<void>((reach) => (goal = { count: made + count, reach }));
  const loads = Promise.all([load(), load(), load()]);
  try {
    for (const name of serviceNames) {
      const old = running.get(name) ?? assert.fail();
      running.set(name, await shop.start(name));
      old.process.signal("SIGTERM");
      assert.equal(await old.process.ended, 0);
      // With the new instance only.
      await further(20);
    }
  } finally {
    isOver = true;
    await loads;
  }
  // As texts, because a diff of errors with everything that they reference would take gigabytes.
  assert.deepEqual(failures.map(String), []);
  assert.ok(made > 80, `${made} users`);
  const { process } = running.get("user-service") ?? assert.fail();
  const failed = process.records().filter(({ message }) => String(message).startsWith("welcome order failed"));
  // On a busy machine, a second may not be enough. Then the event places the order.
  assert.deepEqual(
    failed.filter(({ error }) => !String(error).includes("deadline_exceeded")),
    [],
  );
});

test("a stopped order-service gets no more calls within seconds, and users are created in the meantime", {
  timeout: 180_000,
}, async (t) => {
  const shop = await createShopUnderTest();
  t.after(() => shop.end());
  await shop.start("payment-service");
  const frozen = await shop.start("order-service");
  await shop.start("order-service");
  const service = await shop.start("user-service");
  const users = shop.open("user.UserService", service.address);
  frozen.process.signal("SIGSTOP");
  const sinceMs = performance.now();
  // Ten first orders in a row without a failure. With both instances, round robin would fail half of them.
  const placedInARow = () => {
    const outcomes = service.process.records().filter(({ message }) => String(message).startsWith("welcome order"));
    const failed = outcomes.findLastIndex(({ message }) => message !== "welcome order placed");
    return outcomes.length - 1 - failed;
  };
  for (let nth = 0; placedInARow() < 10; nth++) {
    await users.call("CreateUser", { name: "Ada", email: `ada${nth}@example.org` });
  }
  assert.ok(performance.now() - sinceMs < 30_000, "it took too long");
});
