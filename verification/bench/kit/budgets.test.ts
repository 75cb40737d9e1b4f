import assert from "node:assert/strict";
import { it } from "node:test";
import { type Budget, isKept, renderBudgets } from "./budgets.ts";

const most: Budget = { name: "hello listens after", unit: "ms", measured: 250, limit: 250, isKeptBelow: true };
const least: Budget = { name: "the relay sends", unit: "events/s", measured: 5000, limit: 5000, isKeptBelow: false };

it("a budget is met at its limit, and missed above it", () => {
  assert.deepEqual([most, least].map(isKept), [true, true]);
  assert.deepEqual(
    [
      { ...most, measured: 250.1 },
      { ...least, measured: 4999.9 },
    ].map(isKept),
    [false, false],
  );
});

it("a budget without a figure is missed", () => {
  assert.deepEqual(
    [
      { ...most, measured: Number.NaN },
      { ...least, measured: Number.NaN },
    ].map(isKept),
    [false, false],
  );
});

it("shows the budget, the measured value, and what is missed", () => {
  const text = renderBudgets([most, { ...least, measured: 4321 }]);
  assert.match(text, /hello listens after +250 ms {3}at most 250\n/);
  assert.match(text, /the relay sends +4,321 events\/s {3}at least 5,000 {3}MISSED\n/);
});
