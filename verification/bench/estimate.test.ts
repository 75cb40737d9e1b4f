import assert from "node:assert/strict";
import { test } from "node:test";
import { BENCH_CASES } from "./cases.ts";
import { estimatedSeconds } from "./estimate.ts";

const options = { rounds: 3, seconds: 2 };
const seconds = (name: string, subjects = 10): number =>
  estimatedSeconds(BENCH_CASES.find((one) => one.name === name) ?? assert.fail(name), subjects, options);

test("servers have one warm-up, clients one in each round, cold servers a shorter one", () => {
  assert.equal(seconds("server/unary/10x10"), 10 * (5 + 3 * (1 + 1 + 2)));
  assert.equal(seconds("client/unary/1"), 10 * 3 * (1 + 5 + 2));
  assert.equal(seconds("server/large-cold"), 10 * 3 * (1 + 2 + 2));
});

test("counts at most the rounds of a case, and some time for every case", () => {
  assert.equal(seconds("memory/after-1M-calls"), 10 * (1 + 20));
  for (const { name } of BENCH_CASES) assert.ok(seconds(name) > 0, name);
});
