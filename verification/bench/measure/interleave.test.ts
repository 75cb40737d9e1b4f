import assert from "node:assert/strict";
import { test } from "node:test";
import { interleave } from "./interleave.ts";

test("measures the subjects in turn, round by round", async () => {
  const order: string[] = [];
  const outcomes = await interleave(["a", "b"], 2, async (subject, round) => {
    order.push(`${subject}${round}`);
    return { value: order.length };
  });
  assert.deepEqual(order, ["a0", "b0", "a1", "b1"]);
  assert.deepEqual(outcomes.get("a"), { turns: [{ value: 1 }, { value: 3 }] });
  assert.deepEqual(outcomes.get("b"), { turns: [{ value: 2 }, { value: 4 }] });
});

test("a failed subject has its reason, no figure, and no further turns", async () => {
  const order: string[] = [];
  const outcomes = await interleave(["a", "b"], 3, async (subject, round) => {
    order.push(`${subject}${round}`);
    if (subject === "a" && round === 1) throw new Error("3 requests failed");
    return { value: 1 };
  });
  assert.deepEqual(order, ["a0", "b0", "a1", "b1", "b2"]);
  assert.deepEqual(outcomes.get("a"), { failure: "3 requests failed" });
  assert.deepEqual(outcomes.get("b"), { turns: [{ value: 1 }, { value: 1 }, { value: 1 }] });
});
