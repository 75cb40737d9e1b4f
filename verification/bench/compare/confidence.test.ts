import assert from "node:assert/strict";
import { test } from "node:test";
import { ratioInterval } from "./confidence.ts";

const near = (actual: number, expected: number): void =>
  assert.ok(Math.abs(actual - expected) < 0.001, `${actual} is not near ${expected}`);

test("the interval of 15 pairs is that of Student's t", () => {
  // Logarithms 0.01, 0.02 … 0.15: mean 0.08, standard deviation 0.044721, t(14) = 2.14479.
  const { mean, low, high } = ratioInterval(Array.from({ length: 15 }, (_, index) => Math.exp((index + 1) / 100)));
  near(mean, Math.exp(0.08));
  near(low, Math.exp(0.08 - 0.024766));
  near(high, Math.exp(0.08 + 0.024766));
});

test("a ratio and its inverse have a mean of 1", () => {
  near(ratioInterval([2, 0.5]).mean, 1);
});

test("equal ratios have an interval without width", () => {
  assert.deepEqual(ratioInterval([1, 1, 1]), { mean: 1, low: 1, high: 1 });
});

test("refuses a single ratio", () => {
  assert.throws(() => ratioInterval([1]), RangeError);
});
