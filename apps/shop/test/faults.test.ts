import assert from "node:assert/strict";
import { test } from "node:test";
import { status } from "@grpc/grpc-js";
import { systemClock } from "@tercel/grpc";
import { openPostgres, sql } from "@tercel/service/database";
import { createPostgresServer, createRedisServer, withoutPostgres, withoutRedis } from "@tercel/test-support/servers";
import { hostInfrastructure } from "../src/supervisor/host-infrastructure.ts";
import { alone, createShopUnderTest, silentLog } from "./shop-under-test.ts";

test("while PostgreSQL is away calls are UNAVAILABLE and the service NOT_SERVING, and all is well once it is back", {
  timeout: 180_000,
  skip: withoutPostgres,
}, async (t) => {
  const postgres = await createPostgresServer();
  const shop = await createShopUnderTest();
  t.after(async () => {
    await shop.end();
    await postgres.dispose();
  });
  await postgres.start();
  const url = `postgres://postgres@127.0.0.1:${postgres.port}`;
  const admin = await openPostgres({ url: `${url}/postgres` }, { name: "admin", clock: systemClock, log: silentLog });
  await admin.run(sql`CREATE DATABASE users`);
  await admin.close();
  const set = ["database.providers.sqlite.enabled=false", "database.providers.postgres.enabled=true"];
  const { address } = await shop.start("user-service", [...alone, ...set], { POSTGRES_URL: url });
  const users = shop.open("user.UserService", address);
  const health = shop.open("grpc.health.v1.Health", address);
  const watch = health.stream("Watch", { service: "user.UserService" }, {}, 60_000);
  watch.on("error", () => {});
  const changes = watch[Symbol.asyncIterator]();
  assert.equal((await changes.next()).value.status, "SERVING");
  const { user } = await users.call("CreateUser", { name: "Ada", email: "ada@example.org" });

  await postgres.kill();
  await assert.rejects(users.call("GetUser", { user_id: user.id }), { code: status.UNAVAILABLE });
  await assert.rejects(users.call("CreateUser", { name: "Eve", email: "eve@example.org" }), {
    code: status.UNAVAILABLE,
  });
  assert.equal((await changes.next()).value.status, "NOT_SERVING");
  await postgres.start();
  assert.equal((await changes.next()).value.status, "SERVING");
  assert.deepEqual((await users.call("GetUser", { user_id: user.id })).user, user);
  await users.call("CreateUser", { name: "Eve", email: "eve@example.org" });
});

test("while the registry and the hub are away services find each other still, and events arrive once they are back", {
  timeout: 180_000,
}, async (t) => {
  const shop = await createShopUnderTest();
  const again: { close(): Promise<void> }[] = [];
  t.after(async () => {
    await shop.end();
    for (const one of again) await one.close();
  });
  const notifications = await shop.start("notification-service");
  await shop.start("payment-service");
  await shop.start("order-service");
  const users = shop.open("user.UserService", (await shop.start("user-service")).address);
  await users.call("CreateUser", { name: "Ada", email: "ada@example.org" });

  await shop.loseInfrastructure();
  const { user } = await users.call("CreateUser", { name: "Eve", email: "eve@example.org" });
  again.push(await hostInfrastructure(shop.dataDir, silentLog, shop.infrastructure));
  const inbox = shop.open("shop.notification.v1.NotificationService", notifications.address);
  const admin = await shop.tokenOf("admin");
  let kinds: string[] = [];
  while (kinds.length < 3) {
    const found = (await inbox.call("ListNotifications", { user_id: user.id }, admin)).notifications;
    kinds = found.map(({ kind }: { kind: string }) => kind);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.deepEqual(kinds.sort(), ["order.placed", "payment.settled", "user.created"]);
});

test("instances with one Redis count the calls of a client together", {
  timeout: 180_000,
  skip: withoutRedis,
}, async (t) => {
  const redis = await createRedisServer();
  const shop = await createShopUnderTest();
  t.after(async () => {
    await shop.end();
    await redis.dispose();
  });
  await redis.start();
  const set = [
    ...alone,
    "cache.providers.memory.enabled=false",
    "cache.providers.redis.enabled=true",
    "rate_limit.enabled=true",
    "rate_limit.calls=3",
  ];
  const env = { REDIS_URL: `redis://127.0.0.1:${redis.port}` };
  const services = [await shop.start("user-service", set, env), await shop.start("user-service", set, env)];
  const [here, there] = services.map(({ address }) => shop.open("user.v1.UserService", address));
  if (here === undefined || there === undefined) assert.fail();
  const admin = await shop.tokenOf("admin", "counted");
  for (const client of [here, there, here]) await client.call("ListUsers", { page_size: 1 }, admin);
  await assert.rejects(there.call("ListUsers", { page_size: 1 }, admin), { code: status.RESOURCE_EXHAUSTED });
});
