import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { createFakeClock } from "@tercel/grpc/testing";
import { createOccasion } from "@tercel/test-support/async";
import { createRedisServer, type RedisServer, withoutRedis } from "@tercel/test-support/servers";
import { recordingLog } from "../../test/support/open-echo.ts";
import { type ConnectedRedis, lifetimesMs, redisPackages } from "../../test/support/redis-clients.ts";
import { createCacheAside, createMemoryCacheStore, createRedisCacheStore } from "./index.ts";
import { describeCacheStoreContract } from "./store-contract.ts";

describeCacheStoreContract("the store in memory", async () => ({ store: createMemoryCacheStore() }));

for (const { name, connect } of redisPackages) {
  describe(`cache store in Redis, with a client of ${name}`, { skip: withoutRedis, timeout: 120_000 }, () => {
    let server: RedisServer;
    let connected: ConnectedRedis;
    before(async () => {
      server = await createRedisServer();
      await server.start();
      connected = await connect(server.port);
    });
    after(async () => {
      await connected.close();
      await server.dispose();
    });
    describeCacheStoreContract(`the store in Redis, by ${name}`, async () => ({
      store: createRedisCacheStore({ client: connected.client }),
    }));

    it("lets values expire in Redis", async () => {
      await createRedisCacheStore({ client: connected.client }).set("timed", "x", 60_000);
      const leftMs = (await lifetimesMs(connected.client)).get("cache:timed") ?? 0;
      assert.ok(leftMs > 0 && leftMs <= 60_000, String(leftMs));
    });
  });
}

it("createRedisCacheStore rejects an invalid client", () => {
  assert.throws(
    () => createRedisCacheStore({ client: {} as never }),
    /client is an object; expected a client of ioredis or of redis/,
  );
});

describe("cache aside", () => {
  function createTried(more: { negativeTtlMs?: number; random?: () => number } = {}) {
    const clock = createFakeClock();
    const told: string[] = [];
    const cache = createCacheAside<{ id: number }>({
      store: createMemoryCacheStore({ clock }),
      ttlMs: 1000,
      name: "users",
      random: () => 0,
      observer: {
        onHit: () => told.push("hit"),
        onMiss: () => told.push("miss"),
        onShared: () => told.push("shared"),
      },
      ...more,
    });
    return { clock, told, cache };
  }

  it("returns a value that was set, for its TTL, without loading it", async () => {
    const { cache, clock, told } = createTried();
    assert.equal(await cache.get("a"), undefined);
    assert.equal(await cache.set("a", { id: 1 }), true);
    await clock.advance(999);
    assert.deepEqual(await cache.get("a"), { id: 1 });
    assert.deepEqual(await cache.getOrLoad("a", () => assert.fail()), { id: 1 });
    await clock.advance(1);
    assert.equal(await cache.get("a"), undefined);
    assert.deepEqual(told, ["miss", "hit", "hit", "miss"]);
  });

  it("does not cache a load that started before a value was set", async () => {
    const { cache } = createTried();
    const go = createOccasion();
    const loading = cache.getOrLoad("a", async () => {
      await go.happened;
      return { id: 1 };
    });
    await cache.set("b", { id: 2 });
    await cache.set("a", { id: 2 });
    go.happen();
    assert.deepEqual(await loading, { id: 1 });
    assert.deepEqual(await cache.get("a"), { id: 2 });
    assert.deepEqual(await cache.get("b"), { id: 2 });
  });

  it("reports that the store has not stored a value", async () => {
    const store = createMemoryCacheStore();
    store.set = () => Promise.reject(new Error("away"));
    const { log, logged } = recordingLog();
    const cache = createCacheAside<{ id: number }>({ store, log });
    assert.equal(await cache.set("a", { id: 1 }), false);
    assert.equal(logged.length, 1);
  });

  it("loads a value once within its TTL", async () => {
    const { cache, clock, told } = createTried();
    let loads = 0;
    const load = async () => ({ id: ++loads });
    await cache.getOrLoad("a", load);
    await clock.advance(999);
    assert.deepEqual(await cache.getOrLoad("a", load), { id: 1 });
    await clock.advance(1);
    assert.deepEqual(await cache.getOrLoad("a", load), { id: 2 });
    assert.deepEqual(told, ["miss", "hit", "miss"]);
  });

  it("shortens TTLs by up to a tenth, so that not all values expire at once", async () => {
    const { cache, clock } = createTried({ random: () => 0.5 });
    await cache.getOrLoad("a", async () => ({ id: 1 }));
    await clock.advance(949);
    assert.deepEqual(await cache.getOrLoad("a", async () => ({ id: 2 })), { id: 1 });
    await clock.advance(1);
    assert.deepEqual(await cache.getOrLoad("a", async () => ({ id: 2 })), { id: 2 });
  });

  it("runs one load for concurrent callers, who all get its error", async () => {
    const { cache, told } = createTried();
    const go = createOccasion();
    let loads = 0;
    const load = async () => {
      loads++;
      await go.happened;
      if (loads === 1) throw new Error("no database");
      return { id: loads };
    };
    const all = Array.from({ length: 3 }, () => assert.rejects(cache.getOrLoad("a", load), /no database/));
    go.happen();
    await Promise.all(all);
    assert.deepEqual(told, ["shared", "shared", "miss"]);
    assert.deepEqual(await cache.getOrLoad("a", load), { id: 2 });
  });

  it("caches that a value does not exist for negativeTtlMs", async () => {
    for (const [negativeTtlMs, expected] of [
      [0, 3],
      [500, 2],
    ] as const) {
      const { cache, clock } = createTried({ negativeTtlMs });
      let loads = 0;
      const load = async () => {
        loads++;
        return undefined;
      };
      await cache.getOrLoad("a", load);
      await clock.advance(499);
      await cache.getOrLoad("a", load);
      await clock.advance(1);
      assert.equal(await cache.getOrLoad("a", load), undefined);
      assert.equal(loads, expected);
    }
  });

  it("invalidates by key and by prefix", async () => {
    const { cache } = createTried();
    const loads: string[] = [];
    const get = (key: string) =>
      cache.getOrLoad(key, async () => {
        loads.push(key);
        return { id: 1 };
      });
    for (const key of ["a:1", "a:2", "b"]) await get(key);
    assert.equal(await cache.invalidate("b"), true);
    await get("b");
    assert.equal(await cache.invalidatePrefix("a:"), true);
    for (const key of ["a:1", "a:2", "b"]) await get(key);
    assert.deepEqual(loads, ["a:1", "a:2", "b", "b", "a:1", "a:2"]);
  });

  it("does not cache a load that started before an invalidation", async () => {
    const { cache } = createTried();
    const begun = createOccasion();
    const go = createOccasion();
    const old = cache.getOrLoad("a", async () => {
      begun.happen();
      await go.happened;
      return { id: 1 };
    });
    await begun.happened;
    await cache.invalidate("a");
    assert.deepEqual(await cache.getOrLoad("a", async () => ({ id: 2 })), { id: 2 });
    go.happen();
    await old;
    assert.deepEqual(await cache.getOrLoad("a", async () => ({ id: 3 })), { id: 2 });
  });

  it("bypasses a failing store, and logs that", async () => {
    const { log, logged } = recordingLog();
    const down = () => Promise.reject(new Error("no route"));
    const cache = createCacheAside<number>({ store: { get: down, set: down, delete: down, deletePrefix: down }, log });
    assert.equal(await cache.getOrLoad("a", async () => 7), 7);
    assert.deepEqual(
      logged.map(({ fields }) => fields.step),
      ["get", "set"],
    );
    assert.equal(await cache.invalidate("a"), false);
    assert.equal(await cache.invalidatePrefix("a"), false);
    assert.deepEqual(
      logged.slice(2).map(({ fields }) => fields.step),
      ["delete", "delete"],
    );
  });
});
