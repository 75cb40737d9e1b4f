import assert from "node:assert/strict";
import { test } from "node:test";
import { createRestartPolicy } from "./restart-policy.ts";

test("waits double from one second to thirty and stay there", () => {
  const policy = createRestartPolicy();
  const delays = Array.from({ length: 7 }, () => policy.ended(0));
  assert.deepEqual(delays, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
});

test("a service that stayed up for a minute starts again from one second", () => {
  const policy = createRestartPolicy();
  policy.ended(0);
  policy.ended(0);
  policy.listening(5_000);
  assert.equal(policy.ended(65_000), 1_000);
  assert.equal(policy.ended(66_000), 2_000);
});

test("a service that was up for less than a minute keeps its waits", () => {
  const policy = createRestartPolicy();
  policy.ended(0);
  policy.listening(5_000);
  assert.equal(policy.ended(64_999), 2_000);
});

test("time spent waiting and starting does not count as being up", () => {
  const policy = createRestartPolicy();
  policy.listening(0);
  policy.ended(1_000);
  assert.equal(policy.ended(100_000), 2_000);
});

test("waits, their limit and what counts as stable can be chosen, 0 included", () => {
  const policy = createRestartPolicy({ firstDelayMs: 3, maxDelayMs: 5, stableMs: 0 });
  assert.deepEqual([policy.ended(0), policy.ended(0), policy.ended(0)], [3, 5, 5]);
  policy.listening(0);
  assert.equal(policy.ended(0), 3);
  assert.equal(createRestartPolicy({ firstDelayMs: 0 }).ended(0), 0);
});
