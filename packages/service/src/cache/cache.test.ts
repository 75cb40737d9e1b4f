import assert from "node:assert/strict";
import type { EventEmitter } from "node:events";
import { after, before, describe, it, type TestContext } from "node:test";
import { create } from "@bufbuild/protobuf";
import { type Timestamp, TimestampSchema } from "@bufbuild/protobuf/wkt";
import { createFakeClock } from "@tercel/grpc/testing";
import { type CacheStore, createMemoryCacheStore } from "@tercel/interceptors/cache";
import { createRedisServer, freePorts, type RedisServer, withoutRedis } from "@tercel/test-support/servers";
import { PermanentError } from "../permanent-error.ts";
import { type Cache, createCache } from "./cache.ts";
import type { SharedRedis } from "./cache-port.ts";
import { openRedis, type RedisOptions } from "./open-redis.ts";

const log = { debug() {}, info() {}, warn() {}, error() {} };
const moment = (seconds: number): Timestamp => create(TimestampSchema, { seconds: BigInt(seconds), nanos: 7 });

/** What holds for every store. */
function describeCache(name: string, store: () => CacheStore): void {
  describe(`a cache of messages ${name}`, () => {
    const fresh = (options = {}): Cache<Timestamp> =>
      createCache(TimestampSchema, { name: String(Math.random()), ...options }, { store: store(), log });

    it("returns a message as it was set, of its own for each reader", async () => {
      const cache = fresh();
      assert.equal(await cache.get("a"), undefined);
      assert.equal(await cache.set("a", moment(5)), true);
      const one = await cache.get("a");
      const other = await cache.get("a");
      assert.deepEqual(one, moment(5));
      assert.notEqual(one, other);
    });

    it("loads once, and again after `delete`", async () => {
      const cache = fresh();
      let loads = 0;
      const load = async () => moment(++loads);
      assert.deepEqual(await cache.getOrLoad("a", load), moment(1));
      assert.deepEqual(await cache.getOrLoad("a", load), moment(1));
      assert.equal(await cache.delete("a"), true);
      assert.deepEqual(await cache.getOrLoad("a", load), moment(2));
    });

    it("remembers that there is nothing for `negativeTtlMs`", async () => {
      let loads = 0;
      const load = async () => {
        loads++;
        return undefined;
      };
      const forgetful = fresh();
      await forgetful.getOrLoad("a", load);
      await forgetful.getOrLoad("a", load);
      assert.equal(loads, 2);
      const mindful = fresh({ negativeTtlMs: 60_000 });
      await mindful.getOrLoad("a", load);
      assert.equal(await mindful.getOrLoad("a", load), undefined);
      assert.equal(loads, 3);
    });

    it("keeps messages of two caches apart", async () => {
      const [one, other] = [fresh(), fresh()];
      await one.set("a", moment(1));
      assert.equal(await other.get("a"), undefined);
    });
  });
}

describeCache("in memory", () => createMemoryCacheStore());

describe("a cache of messages", () => {
  it("forgets in time", async () => {
    const clock = createFakeClock();
    const cache = createCache(TimestampSchema, { ttlMs: 1000 }, { store: createMemoryCacheStore({ clock }), log });
    await cache.set("a", moment(1));
    await clock.advance(900);
    assert.deepEqual(await cache.get("a"), moment(1));
    await clock.advance(100);
    assert.equal(await cache.get("a"), undefined);
  });

  it("refuses unknown options, and times that are none", () => {
    const host = { store: createMemoryCacheStore(), log };
    assert.throws(
      () => createCache(TimestampSchema, { tlMs: 1 } as object, host),
      /cache google\.protobuf\.Timestamp: .*did you mean "ttlMs"/,
    );
    assert.throws(() => createCache(TimestampSchema, { ttlMs: 0 }, host), RangeError);
    assert.throws(() => createCache(TimestampSchema, { negativeTtlMs: -1 }, host), RangeError);
  });

  it("treats a value that cannot be decoded as missing", async () => {
    const store = createMemoryCacheStore();
    const cache = createCache(TimestampSchema, { name: "shared" }, { store, log });
    await store.set("shared:a", `1${Buffer.from([255, 255, 255]).toString("base64")}`, 60_000);
    assert.equal(await cache.get("a"), undefined);
  });
});

describe("with Redis", { skip: withoutRedis, timeout: 60_000 }, () => {
  let server: RedisServer;
  let store: CacheStore;
  let opened: Awaited<ReturnType<typeof openRedis>>;
  const host = { name: "main", service: "users service", log };
  before(async () => {
    server = await createRedisServer();
    await server.start();
    opened = await openRedis({ url: `redis://127.0.0.1:${server.port}/1`, keyPrefix: "t:" }, host);
    store = opened.store;
  });
  after(async () => {
    await opened.close();
    await server.dispose();
  });

  describeCache("in Redis", () => store);

  async function open(t: TestContext, options: Partial<RedisOptions> = {}) {
    const redis = await openRedis({ url: `redis://127.0.0.1:${server.port}`, ...options }, host);
    t.after(() => redis.close());
    return redis;
  }

  it("says where it is, has the prefix in front of keys, and the service's name", async () => {
    assert.equal(opened.description, `redis at 127.0.0.1:${server.port}/1`);
    await store.set("key", "text", 60_000);
    assert.equal(await opened.redis.sendCommand(["GET", "t:key"]), "text");
    assert.equal(await opened.redis.sendCommand(["CLIENT", "GETNAME"]), "users-service");
  });

  it("serves from the source while Redis is away, and from Redis when it is back", async (t) => {
    const redis = await open(t);
    const cache = createCache(TimestampSchema, {}, { store: redis.store, log });
    await cache.set("a", moment(1));
    await server.kill();
    await happened(redis.redis, "close");
    await assert.rejects(redis.check());
    assert.deepEqual(await cache.getOrLoad("a", async () => moment(2)), moment(2));
    assert.equal(await cache.set("a", moment(3)), false);
    const ready = happened(redis.redis, "ready");
    await server.start();
    await ready;
    await redis.check();
    assert.equal(await cache.set("a", moment(4)), true);
    assert.deepEqual(await cache.get("a"), moment(4));
  });

  it("names the address that refuses, without the password", async () => {
    const [port = 0] = await freePorts(1);
    await assert.rejects(openRedis({ url: `redis://:hidden@127.0.0.1:${port}` }, host), (error) => {
      assert.ok(!(error instanceof PermanentError));
      assert.equal((error as Error).message, `redis at 127.0.0.1:${port}/0: connect ECONNREFUSED 127.0.0.1:${port}`);
      return true;
    });
  });

  it("marks a wrong password as not worth a retry", async (t) => {
    const admin = await open(t);
    await admin.redis.sendCommand(["ACL", "SETUSER", "guarded", "on", ">right", "~*", "+@all"]);
    const at = (password: string) => `redis://guarded:${password}@127.0.0.1:${server.port}`;
    await (await openRedis({ url: at("right") }, host)).close();
    await assert.rejects(openRedis({ url: at("wrong") }, host), (error) => {
      assert.ok(error instanceof PermanentError, String(error));
      assert.match(error.message, /WRONGPASS .*check the user and password in url/);
      return true;
    });
  });
});

/** Unlike Node's `once`, does not reject on an "error" event. */
function happened({ client }: SharedRedis, event: string): Promise<void> {
  return new Promise((resolve) => (client as unknown as EventEmitter).once(event, resolve));
}
