import assert from "node:assert/strict";
import { test } from "node:test";
import { mebibytes, slope } from "./memory.ts";

test("the slope of a rising line is its rise, and that of a level line is 0", () => {
  const line = [1, 2, 5, 9].map((x) => ({ x, y: 100 + 3 * x }));
  assert.ok(Math.abs(slope(line) - 3) < 1e-9);
  assert.equal(slope(line.map(({ x }) => ({ x, y: 7 }))), 0);
  assert.equal(slope([{ x: 1, y: 1 }]), 0);
});

test("the slope of a sawtooth is that of its middle line", () => {
  const saw = Array.from({ length: 100 }, (_, x) => ({ x, y: 2 * x + (x % 2 === 0 ? 10 : -10) }));
  assert.ok(Math.abs(slope(saw) - 2) < 0.1);
});

test("writes bytes as mebibytes", () => assert.equal(mebibytes(1_572_864), "1.5 MiB"));
