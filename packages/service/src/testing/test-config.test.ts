import assert from "node:assert/strict";
import { test } from "node:test";
import type { Need } from "../provider.ts";
import { testConfig } from "./test-config.ts";

const need = (concern: string, provider?: string): Need<unknown> => ({
  concern,
  ...(provider !== undefined && { provider }),
  prepare: () => ({ port: undefined }),
});
const sqlite = { type: "sqlite", path: ":memory:" };

test("a test has databases, caches and events in memory for its needs, each under the name that the code uses", () => {
  const needs = { db: need("database"), reports: need("database", "reporting"), users: need("cache") };
  assert.deepEqual(testConfig(needs, { service: { name: "users" } }), {
    service: { name: "users" },
    database: { providers: { sqlite, reporting: sqlite }, default: "sqlite" },
    cache: { providers: { memory: { type: "memory" } }, default: "memory" },
  });
});

test("a concern that the test configures is left alone, and so is one that has nothing in memory", () => {
  const config = { database: { providers: { postgres: { url: "postgres://db/users" } } } };
  assert.deepEqual(testConfig({ db: need("database"), search: need("search") }, config), config);
});
