// Long: it starts the shop for each server that it takes away: PostgreSQL, etcd, Redis, the registry and the hub.
import assert from "node:assert/strict";
import { test } from "node:test";
import { status } from "@grpc/grpc-js";
import { systemClock } from "@tercel/grpc";
import { openPostgres, sql } from "@tercel/service/database";
import {
  createEtcdServer,
  createPostgresServer,
  createRedisServer,
  withoutEtcd,
  withoutPostgres,
  withoutRedis,
} from "@tercel/test-support/servers";
import { hostInfrastructure } from "./host-infrastructure.ts";
import { Inbox } from "./inbox.ts";
import { alone, createShopUnderTest, createShopWith, silentLog } from "./shop-under-test.ts";

const kinds = ["order.placed", "payment.settled", "user.created"];

test("during an outage of PostgreSQL calls are UNAVAILABLE and the service is NOT_SERVING, and afterwards it serves again", {
  timeout: 180_000,
  skip: withoutPostgres,
}, async (t) => {
  const { shop, server: postgres } = await createShopWith(t, createPostgresServer);
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

test("during an outage of the registry and the hub services still find each other, and events arrive afterwards", {
  timeout: 180_000,
}, async (t) => {
  const shop = await createShopUnderTest();
  const closing: { close(): unknown }[] = [];
  t.after(async () => {
    await shop.end();
    for (const one of closing) await one.close();
  });
  const notifications = await shop.start("notification-service");
  await shop.start("payment-service");
  await shop.start("order-service");
  const users = shop.open("user.UserService", (await shop.start("user-service")).address);
  await users.call("CreateUser", { name: "Ada", email: "ada@example.org" });

  await shop.loseInfrastructure();
  const { user } = await users.call("CreateUser", { name: "Eve", email: "eve@example.org" });
  closing.push(await hostInfrastructure(shop.dataDir, silentLog, shop.infrastructure));
  const inbox = new Inbox(notifications.address, await shop.tokenOf("admin"));
  closing.push(inbox);
  assert.deepEqual(await inbox.kinds(user.id), kinds);
});

test("with etcd as the registry services find each other, also during an outage of etcd", {
  timeout: 180_000,
  skip: withoutEtcd,
}, async (t) => {
  const { shop, server: etcd } = await createShopWith(t, createEtcdServer);
  const set = ["discovery.providers.embedded.enabled=false", "discovery.providers.etcd.enabled=true"];
  const env = { ETCD_ENDPOINT: etcd.target };
  for (const name of ["payment-service", "order-service"] as const) await shop.start(name, set, env);
  const { process, address } = await shop.start("user-service", set, env);
  const users = shop.open("user.UserService", address);
  await users.call("CreateUser", { name: "Ada", email: "ada@example.org" });
  await process.record({ message: "welcome order placed" });
  await etcd.kill();
  await users.call("CreateUser", { name: "Eve", email: "eve@example.org" });
  await process.record({ message: "welcome order placed" }, 2);
});

/** The settings of a service with its cache and its rate limits in Redis. */
const onRedis = [...alone, "cache.providers.memory.enabled=false", "cache.providers.redis.enabled=true"];
const redisAt = (port: number) => ({ REDIS_URL: `redis://127.0.0.1:${port}` });

test("instances with the same Redis share the count of a client's calls", {
  timeout: 180_000,
  skip: withoutRedis,
}, async (t) => {
  const { shop, server } = await createShopWith(t, createRedisServer);
  const set = [...onRedis, "rate_limit.enabled=true", "rate_limit.calls=3"];
  const env = redisAt(server.port);
  const services = [await shop.start("user-service", set, env), await shop.start("user-service", set, env)];
  const [here, there] = services.map(({ address }) => shop.open("user.v1.UserService", address));
  if (here === undefined || there === undefined) assert.fail();
  const admin = await shop.tokenOf("admin", "counted");
  for (const client of [here, there, here]) await client.call("ListUsers", { page_size: 1 }, admin);
  await assert.rejects(there.call("ListUsers", { page_size: 1 }, admin), { code: status.RESOURCE_EXHAUSTED });
});

test("during an outage of Redis users are read, changed and created, and afterwards Redis is used again", {
  timeout: 180_000,
  skip: withoutRedis,
}, async (t) => {
  const { shop, server: redis } = await createShopWith(t, createRedisServer);
  const { process, address } = await shop.start("user-service", onRedis, redisAt(redis.port));
  const users = shop.open("user.v1.UserService", address);
  const admin = await shop.tokenOf("admin");
  const person = { email: "ada@example.org", first_name: "Ada", last_name: "Noel", password: "correct horse" };
  const { user } = await users.call("CreateUser", person, admin);
  const { id } = user;
  assert.deepEqual(await users.call("GetUser", { id }, admin), { user });
  await redis.kill();
  await process.record({ message: "connection to Redis lost" });
  const changed = await users.call("UpdateUser", { id, first_name: "Augusta" }, admin);
  assert.deepEqual(await users.call("GetUser", { id }, admin), changed);
  await redis.start();
  const health = shop.open("grpc.health.v1.Health", address);
  assert.equal((await health.call("Check", {})).status, "SERVING");
  assert.deepEqual(await users.call("GetUser", { id }, admin), changed);
  process.signal("SIGTERM");
  assert.equal(await process.ended, 0);
});
