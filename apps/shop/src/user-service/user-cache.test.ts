import assert from "node:assert/strict";
import { test } from "node:test";
import { type CacheStore, createMemoryCacheStore } from "@tercel/interceptors/cache";
import { createRegistry, exposition } from "@tercel/interceptors/metrics";
import { createJsonLog } from "../log/json-log.ts";
import { createUserCache } from "./user-cache.ts";
import type { StoredUser } from "./user-row.ts";

const ada: StoredUser = {
  seq: 1,
  id: "ada",
  name: "Ada Noel",
  firstName: "Ada",
  lastName: "Noel",
  email: "ada@x.org",
  role: 2,
  createdAtMs: 1,
  updatedAtMs: 2,
};

function open(store: CacheStore | undefined) {
  const lines: string[] = [];
  const registry = createRegistry();
  let stored: StoredUser | undefined = ada;
  let reads = 0;
  const getUser = () => {
    reads += 1;
    return stored;
  };
  const cache = createUserCache(
    store,
    getUser,
    registry,
    createJsonLog("test", (line) => lines.push(line)),
  );
  return {
    cache,
    lines,
    reads: () => reads,
    change(user: StoredUser | undefined) {
      stored = user;
      cache.forget("ada");
    },
    counted: () =>
      exposition(registry)
        .split("\n")
        .filter((line) => line.startsWith("user_cache_lookups_total")),
  };
}

test("a user is read once, and again when it has changed", async () => {
  const { cache, reads, change, counted } = open(createMemoryCacheStore());
  assert.deepEqual(await cache.get("ada"), ada);
  assert.deepEqual(await cache.get("ada"), ada);
  assert.equal(reads(), 1);
  change({ ...ada, role: 1 });
  assert.equal((await cache.get("ada"))?.role, 1);
  change(undefined);
  assert.equal(await cache.get("ada"), undefined);
  assert.deepEqual(counted(), [
    'user_cache_lookups_total{outcome="miss"} 3',
    'user_cache_lookups_total{outcome="hit"} 1',
  ]);
});

test("a user who is not there is looked for each time, because it may come", async () => {
  const { cache, change } = open(createMemoryCacheStore());
  change(undefined);
  assert.equal(await cache.get("ada"), undefined);
  change(ada);
  assert.deepEqual(await cache.get("ada"), ada);
});

test("a cache that fails is gone round and told of", async () => {
  const fail = () => Promise.reject(new Error("no Redis"));
  const { cache, change, lines } = open({ get: fail, set: fail, delete: fail, deletePrefix: fail });
  assert.deepEqual(await cache.get("ada"), ada);
  change({ ...ada, role: 1 });
  assert.equal((await cache.get("ada"))?.role, 1);
  assert.match(lines.join(""), /"event":"cache".*no Redis/);
  assert.match(lines.join(""), /"event":"cache".*"step":"delete".*no Redis/);
});

test("without a store every read is of the database", async () => {
  const { cache, reads } = open(undefined);
  await cache.get("ada");
  await cache.get("ada");
  assert.equal(reads(), 2);
});
