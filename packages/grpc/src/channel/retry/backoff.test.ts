import assert from "node:assert/strict";
import { test } from "node:test";
import { createBackoff } from "./backoff.ts";

test("grows from one second by 1.6 up to two minutes", () => {
  const backoff = createBackoff({ random: () => 0.5 });
  assert.deepEqual(
    [0, 1, 2, 3].map((failures) => Math.round(backoff(failures))),
    [1000, 1600, 2560, 4096],
  );
  assert.ok(backoff(10) < 120_000);
  assert.equal(backoff(11), 120_000);
  assert.equal(backoff(1_000_000), 120_000);
});

test("varies each pause by a fifth both ways, the first and the longest too", () => {
  const shortest = createBackoff({ random: () => 0 });
  const longest = createBackoff({ random: () => 1 });
  assert.deepEqual([shortest(0), longest(0)], [800, 1200]);
  assert.deepEqual([shortest(50), longest(50)], [96_000, 144_000]);
});

test("honours zero", () => {
  const backoff = createBackoff({ initialDelayMs: 0, jitter: 0 });
  assert.equal(backoff(0), 0);
  assert.equal(backoff(1_000_000), 0);
  assert.equal(createBackoff({ jitter: 0, random: () => 0 })(0), 1000);
});

test("refuses options out of range", () => {
  assert.throws(() => createBackoff({ initialDelayMs: -1 }), RangeError);
  assert.throws(() => createBackoff({ multiplier: 0.9 }), RangeError);
  assert.throws(() => createBackoff({ maxDelayMs: Number.NaN }), RangeError);
  assert.throws(() => createBackoff({ jitter: 1.1 }), RangeError);
});
