import assert from "node:assert/strict";
import { test } from "node:test";
import { CreditAhead } from "./credit-ahead.ts";
import { GrowthAllowance } from "./window-growth.ts";

test("gives credit up to the maximum and not for one byte more", () => {
  const ahead = new CreditAhead(new GrowthAllowance(1000));
  assert.equal(ahead.give(60, 100), true);
  assert.equal(ahead.give(41, 100), false);
  assert.equal(ahead.give(40, 100), true);
  assert.equal(ahead.give(1, 100), false);
  assert.equal(ahead.heldBytes, 100);
});

test("owes credit only for what got none before", () => {
  const ahead = new CreditAhead(new GrowthAllowance(1000));
  ahead.give(100, 100);
  ahead.give(50, 100);
  assert.equal(ahead.repay(70), 0);
  assert.equal(ahead.repay(80), 50);
  assert.equal(ahead.repay(5), 5);
});

test("shares its allowance, and gives back what is repaid and what is left at the end", () => {
  const allowance = new GrowthAllowance(100);
  const first = new CreditAhead(allowance);
  const second = new CreditAhead(allowance);
  assert.equal(first.give(100, 1000), true);
  assert.equal(second.give(1, 1000), false);
  first.repay(10);
  assert.equal(second.give(10, 1000), true);
  first.end();
  assert.equal(first.give(1, 1000), false);
  assert.equal(second.give(90, 1000), true);
  assert.equal(first.repay(90), 90);
  assert.equal(second.give(1, 1000), false);
});
