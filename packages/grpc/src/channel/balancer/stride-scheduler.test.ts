import assert from "node:assert/strict";
import { test } from "node:test";
import { createStrideScheduler } from "./stride-scheduler.ts";

function take(weights: readonly number[], count: number, start = 0): number[] {
  const scheduler = createStrideScheduler(weights, start) ?? assert.fail("there is nothing to schedule");
  return Array.from({ length: count }, () => scheduler.next());
}

function countOf(weights: readonly number[], picks: number): number[] {
  const counts = weights.map(() => 0);
  for (const index of take(weights, picks)) counts[index] = (counts[index] ?? 0) + 1;
  return counts;
}

test("gives each its share, exactly", () => {
  assert.deepEqual(countOf([1, 2, 3], 6000), [1000, 2000, 3000]);
  assert.deepEqual(countOf([10, 5, 5], 4000), [2000, 1000, 1000]);
});

test("spreads the turns of one endpoint evenly", () => {
  assert.deepEqual(take([1, 3], 8), [1, 1, 0, 1, 1, 1, 0, 1]);
});

test("counts an unknown weight as the mean of the known ones", () => {
  assert.deepEqual(countOf([1, 3, 0], 6000), [1000, 3000, 2000]);
});

test("has nothing to do while fewer than two are known or all weigh the same", () => {
  assert.equal(createStrideScheduler([], 0), undefined);
  assert.equal(createStrideScheduler([5, 0, 0], 0), undefined);
  assert.equal(createStrideScheduler([5, 5, 0], 0), undefined);
  assert.notEqual(createStrideScheduler([5, 6], 0), undefined);
});

test("lets no endpoint count for less than a tenth of the mean, nor for more than ten times", () => {
  const low = countOf([1, 1000, 1000], 20_000);
  const mean = (1 + 1000 + 1000) / 3;
  const share = mean / 10 / (mean / 10 + 2000);
  assert.ok(Math.abs((low[0] ?? 0) / 20_000 - share) < 0.001, low.join());
  const weights = [1_000_000, ...Array.from({ length: 19 }, () => 1)];
  const high = countOf(weights, 100_000);
  const expected = (10 * 50_000.95) / (10 * 50_000.95 + 19 * 5000.095);
  assert.ok(Math.abs((high[0] ?? 0) / 100_000 - expected) < 0.01, high.join());
});

test("goes on where the sequence of 32 bits begins again", () => {
  const picks = take([1, 2, 3], 100, 0xffff_fffa);
  assert.ok(picks.every((index) => index >= 0 && index < 3));
});
