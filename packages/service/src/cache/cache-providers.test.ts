import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create } from "@bufbuild/protobuf";
import { TimestampSchema } from "@bufbuild/protobuf/wkt";
import { createFakeClock } from "@tercel/grpc/testing";
import { describeCacheStoreContract } from "@tercel/interceptors/contracts";
import { createRedisServer, withoutRedis } from "@tercel/test-support/servers";
import { parse } from "valibot";
import { openEntry, providerOf, testHost } from "../../test/support/provider-host.ts";
import { cache } from "./cache-need.ts";
import type { CachePort } from "./cache-port.ts";
import { cacheProviders } from "./cache-providers.ts";

const memory = providerOf(cacheProviders, "memory");
const redis = providerOf(cacheProviders, "redis");
const { signal } = new AbortController();

describeCacheStoreContract("the provider memory", async () => {
  const opened = await openEntry<CachePort>(memory, {});
  return { store: opened.port.store, close: () => opened.close() };
});

describe("the provider redis", { skip: withoutRedis, timeout: 60_000 }, () => {
  describeCacheStoreContract("it", async () => {
    const server = await createRedisServer();
    await server.start();
    const opened = await openEntry<CachePort>(redis, { url: `redis://127.0.0.1:${server.port}` });
    return {
      store: opened.port.store,
      async close() {
        await opened.close();
        await server.dispose();
      },
    };
  });
});

describe("the providers of caches", () => {
  it("keep a message in memory by the host's clock, and count look-ups", async () => {
    const clock = createFakeClock();
    const host = testHost({ clock });
    const opened = await openEntry<CachePort>(memory, { max_bytes: "1MiB" }, host);
    const need = cache(TimestampSchema, { ttlMs: 1000, name: "times" });
    const { port } = await need.prepare(opened.port, {
      ...host,
      need: "c",
      describe: opened.describe,
      portOf: () => undefined,
    });
    await port.set("a", create(TimestampSchema, { seconds: 5n }));
    assert.equal((await port.get("a"))?.seconds, 5n);
    await clock.advance(1000);
    assert.equal(await port.get("a"), undefined);
    const lookups = host.metrics.collect().find(({ name }) => name === "cache_lookups_total");
    assert.deepEqual(
      [...(lookups?.series.values() ?? [])].map(({ values }) => values),
      [
        ["times", "hit"],
        ["times", "miss"],
      ],
    );
    await opened.check(signal);
    await opened.close();
  });

  it("reach Redis, whose connection is there for other uses as well", {
    skip: withoutRedis,
    timeout: 60_000,
  }, async (t) => {
    const server = await createRedisServer();
    t.after(() => server.dispose());
    await server.start();
    const opened = await openEntry<CachePort>(redis, { url: `redis://127.0.0.1:${server.port}` });
    assert.equal(opened.describe, `redis at 127.0.0.1:${server.port}/0`);
    await opened.port.store.set("a", "x", 1000);
    assert.equal(await opened.port.redis?.sendCommand(["GET", "cache:a"]), "x");
    await opened.check(signal);
    await opened.close();
  });

  it("refuse settings that are unknown or out of bounds", () => {
    assert.throws(() => parse(memory.config, { max_entries: 0 }), { name: "ValiError" });
    assert.throws(() => parse(memory.config, { maxEntries: 5 }), { name: "ValiError" });
    assert.throws(() => parse(redis.config, { url: "http://x" }), { name: "ValiError" });
  });

  it("can be named by the need", () => {
    assert.equal(cache(TimestampSchema).provider, undefined);
    assert.equal(cache(TimestampSchema, { provider: "hot" }).provider, "hot");
  });
});
