import assert from "node:assert/strict";
import { test } from "node:test";
import { createRedisServer, withoutRedis } from "@tercel/test-support/servers";
import { alone, createShopUnderTest } from "./shop-under-test.ts";

test("while Redis is away users are read, changed and created all the same, and it is used again once it is back", {
  timeout: 120_000,
  skip: withoutRedis,
}, async (t) => {
  const redis = await createRedisServer();
  const shop = await createShopUnderTest();
  t.after(async () => {
    await shop.end();
    await redis.dispose();
  });
  await redis.start();
  const set = ["cache.providers.memory.enabled=false", "cache.providers.redis.enabled=true"];
  const env = { REDIS_URL: `redis://127.0.0.1:${redis.port}` };
  const { process, address } = await shop.start("user-service", [...alone, ...set], env);
  const users = shop.open("user.v1.UserService", address);
  const admin = await shop.tokenOf("admin");
  const person = { email: "ada@example.org", first_name: "Ada", last_name: "Noel", password: "correct horse" };
  const { user } = await users.call("CreateUser", person, admin);
  const { id } = user;
  assert.deepEqual(await users.call("GetUser", { id }, admin), { user });
  await redis.kill();
  await process.record({ message: "the connection to Redis broke" });
  const changed = await users.call("UpdateUser", { id, first_name: "Augusta" }, admin);
  assert.deepEqual(await users.call("GetUser", { id }, admin), changed);
  await redis.start();
  const health = shop.open("grpc.health.v1.Health", address);
  assert.equal((await health.call("Check", {})).status, "SERVING");
  assert.deepEqual(await users.call("GetUser", { id }, admin), changed);
  process.signal("SIGTERM");
  assert.equal(await process.ended, 0);
});
