import assert from "node:assert/strict";
import { test } from "node:test";
import { Code } from "@connectrpc/connect";
import { codeName, codeSetOf, hasCode } from "./code-set.ts";
import { readPushback } from "./pushback.ts";
import { ReplayBudget } from "./replay-budget.ts";
import { retryDelayMs } from "./retry-policy.ts";

const policy = { maxAttempts: 5, initialBackoffMs: 100, maxBackoffMs: 500, backoffMultiplier: 2, retryableCodes: 0 };

test("pauses grow from the first to the longest, give or take a fifth", () => {
  const pauses = (random: number) =>
    [0, 1, 2, 3, 4].map((earlier) => Math.round(retryDelayMs(policy, earlier, () => random)));
  assert.deepEqual(pauses(0.5), [100, 200, 400, 500, 500]);
  assert.deepEqual(pauses(0), [80, 160, 320, 400, 400]);
  assert.deepEqual(pauses(1), [120, 240, 480, 600, 600]);
});

test("pauses may shrink, too", () => {
  assert.equal(
    retryDelayMs({ ...policy, backoffMultiplier: 0.5 }, 2, () => 0.5),
    25,
  );
});

test("a pushback is a number of milliseconds, anything else forbids another attempt, and none is none", () => {
  const read = (text: string) => readPushback(new Headers({ "grpc-retry-pushback-ms": text }));
  assert.equal(readPushback(new Headers()), undefined);
  assert.equal(read("0"), 0);
  assert.equal(read("2147483647"), 2_147_483_647);
  for (const text of ["2147483648", "-1", "-0", "01", "+1", "1e3", "0x1", "", "1, 2", "soon"]) {
    assert.equal(read(text), "never", text);
  }
});

test("a set of codes holds what it was made of, OK included, and knows gRPC's names", () => {
  const set = codeSetOf([0, Code.Unavailable]);
  assert.ok(hasCode(set, 0) && hasCode(set, Code.Unavailable));
  assert.ok(!hasCode(set, Code.Internal));
  assert.equal(codeName(Code.Canceled), "CANCELLED");
  assert.equal(codeName(Code.Unauthenticated), "UNAUTHENTICATED");
});

test("a budget is full at its bounds and not before, for a call and for all", () => {
  const budget = new ReplayBudget(10, 15);
  assert.equal(budget.reserve(0, 11), false);
  assert.equal(budget.reserve(0, 10), true);
  assert.equal(budget.reserve(10, 1), false);
  assert.equal(budget.reserve(0, 6), false);
  assert.equal(budget.reserve(0, 5), true);
  budget.release(10);
  assert.equal(budget.usedBytes, 5);
  assert.equal(budget.reserve(0, 10), true);
});
