import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TurnBudget } from "./turn-budget.ts";

describe("a budget of a turn", () => {
  it("is what all that share it may take, and is whole again in the next turn", async () => {
    const budget = new TurnBudget({ maxCount: 3, maxMs: 10 }, () => 0);
    for (let turn = 0; turn < 3; turn++) {
      assert.deepEqual(
        Array.from({ length: 5 }, () => budget.take()),
        [true, true, true, false, false],
      );
      await new Promise((resolve) => setImmediate(resolve));
    }
  });

  it("ends early where what was taken takes long, and the first always may", async () => {
    let nowMs = 100;
    const budget = new TurnBudget({ maxCount: 100, maxMs: 10 }, () => nowMs);
    for (const [spentMs, expected] of [
      [9.9, [true, true, false]],
      [10, [true, false, false]],
      [500, [true, false, false]],
    ] as const) {
      const taken = [budget.take()];
      nowMs += spentMs;
      taken.push(budget.take());
      nowMs += 0.2;
      taken.push(budget.take());
      assert.deepEqual(taken, expected, `${spentMs} ms`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
});
