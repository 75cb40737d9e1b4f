import assert from "node:assert/strict";
import { test } from "node:test";
import { Pace } from "./pace.ts";

test("starts the calls that became due since the last time", () => {
  const pace = new Pace(1000, 1_000_000);
  assert.equal(pace.take(10, 0), 10);
  assert.equal(pace.take(10.9, 10), 0);
  assert.equal(pace.take(25, 10), 15);
  assert.deepEqual([pace.begun, pace.leftOut], [25, 0]);
});

test("starts at most the calls of a tenth of a second at once, and omits the rest", () => {
  const pace = new Pace(1000, 1_000_000);
  assert.equal(pace.take(100, 0), 100);
  assert.equal(pace.take(201, 0), 100);
  assert.equal(pace.leftOut, 1);
  assert.equal(pace.take(202, 0), 1);
});

test("omits calls while the maximum number is running", () => {
  const pace = new Pace(1000, 50);
  assert.equal(pace.take(60, 0), 50);
  assert.equal(pace.take(70, 50), 0);
  assert.equal(pace.take(80, 45), 5);
  assert.deepEqual([pace.begun, pace.leftOut], [55, 25]);
  assert.equal(pace.describe(), "55 calls started, 68.8 % of the requested ones");
});

test("starts one call if less than one is due in a tenth of a second", () => {
  const pace = new Pace(2, 10);
  assert.equal(pace.take(400, 0), 0);
  assert.equal(pace.take(500, 0), 1);
  assert.equal(pace.take(5000, 0), 1);
  assert.equal(pace.leftOut, 8);
});
