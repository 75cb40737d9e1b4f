import assert from "node:assert/strict";
import { test } from "node:test";
import { advantage, median, percentile } from "./statistics.ts";

test("the median of an odd number of values is the middle one, in any order", () => {
  assert.equal(median([30, 1, 2]), 2);
  assert.equal(median([7]), 7);
});

test("the median of an even number of values lies between the two in the middle", () => {
  assert.equal(median([100, 1, 3, 2]), 2.5);
});

test("sorts numerically, and does not change the list", () => {
  const values = [100, 9, 20];
  assert.equal(median(values), 20);
  assert.deepEqual(values, [100, 9, 20]);
});

test("refuses an empty list", () => {
  assert.throws(() => median([]), RangeError);
});

test("a percentile is the value that this percentage of the values does not exceed", () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  assert.equal(percentile(hundred, 99), 99);
  assert.equal(percentile(hundred, 100), 100);
  assert.equal(percentile([5], 1), 5);
  assert.throws(() => percentile([], 99), RangeError);
});

test("an advantage above 1 means that Tercel is better, for rates and for costs", () => {
  assert.equal(advantage(200, 100, "higher"), 2);
  assert.equal(advantage(50, 100, "lower"), 2);
  assert.equal(advantage(100, 50, "lower"), 0.5);
});
