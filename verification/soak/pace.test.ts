import assert from "node:assert/strict";
import { test } from "node:test";
import { Pace } from "./pace.ts";

test("begins what has fallen due since the last time", () => {
  const pace = new Pace(1000, 1_000_000);
  assert.equal(pace.take(10, 0), 10);
  assert.equal(pace.take(10.9, 10), 0);
  assert.equal(pace.take(25, 10), 15);
  assert.deepEqual([pace.begun, pace.leftOut], [25, 0]);
});

test("begins what a tenth of a second holds at once, and leaves out what is more", () => {
  const pace = new Pace(1000, 1_000_000);
  assert.equal(pace.take(100, 0), 100);
  assert.equal(pace.take(201, 0), 100);
  assert.equal(pace.leftOut, 1);
  assert.equal(pace.take(202, 0), 1);
});

test("leaves calls out while as many as it may have are under way", () => {
  const pace = new Pace(1000, 50);
  assert.equal(pace.take(60, 0), 50);
  assert.equal(pace.take(70, 50), 0);
  assert.equal(pace.take(80, 45), 5);
  assert.deepEqual([pace.begun, pace.leftOut], [55, 25]);
  assert.equal(pace.describe(), "55 calls begun, 68.8 % of those asked for");
});

test("continues with one call where less than one falls due in a tenth of a second", () => {
  const pace = new Pace(2, 10);
  assert.equal(pace.take(400, 0), 0);
  assert.equal(pace.take(500, 0), 1);
  assert.equal(pace.take(5000, 0), 1);
  assert.equal(pace.leftOut, 8);
});
