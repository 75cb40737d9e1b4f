import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { status } from "@grpc/grpc-js";
import { createShopUnderTest, type ShopUnderTest, type StartedService } from "./shop-under-test.ts";

const hasRedis = spawnSync("redis-server", ["--version"]).error === undefined;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

describe("two user-services with one Redis", {
  skip: hasRedis ? false : "Redis is not installed; .ci/run installs it",
}, () => {
  let folder: string;
  let redis: ChildProcess;
  let redisUrl: string;
  let shop: ShopUnderTest;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "tercel-shop-redis-"));
    const port = await freePort();
    const options = [
      "--port",
      String(port),
      "--bind",
      "127.0.0.1",
      "--dir",
      folder,
      "--save",
      "",
      "--appendonly",
      "no",
    ];
    redis = spawn("redis-server", options, { stdio: ["ignore", "pipe", "ignore"] });
    redisUrl = `redis://127.0.0.1:${port}`;
    if (redis.stdout === null) assert.fail();
    const lines = createInterface({ input: redis.stdout });
    for await (const line of lines) if (line.includes("Ready to accept connections")) break;
    redis.stdout.resume();
  });
  after(async () => {
    redis.kill("SIGTERM");
    await once(redis, "exit");
    rmSync(folder, { recursive: true });
  });
  beforeEach(() => {
    shop = createShopUnderTest();
  });
  afterEach(() => shop.end());

  const start = async (...args: string[]) => {
    const flags = [`--redis-url=${redisUrl}`, "--order-address=127.0.0.1:1", ...args];
    const service = await shop.start("user-service", flags);
    await service.process.record({ event: "redis_there" });
    return service;
  };

  async function lookupsOf({ process }: StartedService): Promise<string[]> {
    const { address } = await process.record({ event: "observable" });
    const text = await (await fetch(`http://${address}/metrics`)).text();
    return text.split("\n").filter((line) => line.startsWith("user_cache_lookups_total"));
  }

  test("a user that one has read the other has in its cache, and a change is seen by both", {
    timeout: 60_000,
  }, async () => {
    const [one, other] = [await start(), await start()];
    const [here, there] = [one, other].map(({ address }) => shop.open("user.v1.UserService", address));
    if (here === undefined || there === undefined) assert.fail();
    const admin = await shop.tokenOf("admin");
    const person = { email: "ada@example.org", first_name: "Ada", last_name: "Noel", password: "correct horse" };
    const { user } = await here.call("CreateUser", person, admin);
    const { id } = user;
    assert.deepEqual(await here.call("GetUser", { id }, admin), { user });
    assert.deepEqual(await there.call("GetUser", { id }, admin), { user });
    assert.deepEqual(await lookupsOf(one), ['user_cache_lookups_total{outcome="miss"} 1']);
    assert.deepEqual(await lookupsOf(other), ['user_cache_lookups_total{outcome="hit"} 1']);
    const changed = await there.call("UpdateUser", { id, first_name: "Augusta" }, admin);
    assert.deepEqual(await there.call("GetUser", { id }, admin), changed);
    assert.deepEqual(await here.call("GetUser", { id }, admin), changed);
    await here.call("DeleteUser", { id }, admin);
    await assert.rejects(here.call("GetUser", { id }, admin), { code: status.NOT_FOUND });
  });

  test("a client has one limit for both", { timeout: 60_000 }, async () => {
    const services = [await start("--rate-limit=3"), await start("--rate-limit=3")];
    const [here, there] = services.map(({ address }) => shop.open("user.v1.UserService", address));
    if (here === undefined || there === undefined) assert.fail();
    const admin = await shop.tokenOf("admin", "counted");
    for (const client of [here, there, here]) await client.call("ListUsers", { page_size: 1 }, admin);
    await assert.rejects(there.call("ListUsers", { page_size: 1 }, admin), { code: status.RESOURCE_EXHAUSTED });
  });
});

test("a Redis that is not there is told of, and nothing is missing but the cache", { timeout: 60_000 }, async () => {
  const shop = createShopUnderTest();
  try {
    const flags = [
      `--redis-url=redis://127.0.0.1:${await freePort()}`,
      "--rate-limit=100",
      "--order-address=127.0.0.1:1",
    ];
    const { process, address } = await shop.start("user-service", flags);
    await process.record({ event: "redis_missing" });
    const users = shop.open("user.v1.UserService", address);
    const admin = await shop.tokenOf("admin");
    const person = { email: "ada@example.org", first_name: "Ada", last_name: "Noel", password: "correct horse" };
    const { user } = await users.call("CreateUser", person, admin);
    assert.deepEqual(await users.call("GetUser", { id: user.id }, admin), { user });
    process.signal("SIGTERM");
    assert.equal(await process.ended, 0);
  } finally {
    await shop.end();
  }
});
