import assert from "node:assert/strict";
import { test } from "node:test";
import { LruMap } from "./lru-map.ts";

test("keeps as many entries as it may, and forgets the one that was not used for longest", () => {
  const map = new LruMap<string, number>(2);
  map.set("a", 1);
  map.set("b", 2);
  assert.equal(map.get("a"), 1);
  map.set("c", 3);
  assert.deepEqual([map.get("a"), map.get("b"), map.get("c"), map.size], [1, undefined, 3, 2]);
});

test("takes a value that is set again for used", () => {
  const map = new LruMap<string, number>(2);
  map.set("a", 1);
  map.set("b", 2);
  map.set("a", 3);
  map.set("c", 4);
  assert.deepEqual([map.get("a"), map.get("b")], [3, undefined]);
});

test("holds nothing when it may hold nothing", () => {
  const map = new LruMap<string, number>(0);
  map.set("a", 1);
  assert.equal(map.size, 0);
});

test("forgets what it is told to forget", () => {
  const map = new LruMap<string, number>(2);
  map.set("a", 1);
  map.delete("a");
  assert.deepEqual([map.get("a"), map.size], [undefined, 0]);
});
