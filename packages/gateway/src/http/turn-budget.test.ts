import assert from "node:assert/strict";
import { it } from "node:test";
import { TurnBudget } from "./turn-budget.ts";

it("a turn budget is shared by its users and reset in the next turn", async () => {
  const budget = new TurnBudget(3);
  for (let turn = 0; turn < 3; turn++) {
    assert.deepEqual(
      Array.from({ length: 5 }, () => budget.take()),
      [true, true, true, false, false],
    );
    await new Promise((resolve) => setImmediate(resolve));
  }
});
