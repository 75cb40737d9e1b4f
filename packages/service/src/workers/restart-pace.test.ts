import assert from "node:assert/strict";
import { test } from "node:test";
import { RestartPace } from "./restart-pace.ts";

/** Without jitter. */
const pace = (maxFailedStarts = 3): RestartPace => new RestartPace(maxFailedStarts, () => 0.5);

test("follows a worker that had settled at once, always", () => {
  const restarts = pace();
  for (let i = 0; i < 20; i++) assert.equal(restarts.ended(1, 10_000), 0);
});

test("follows the first early loss at once, and further ones after growing pauses up to 30 s", () => {
  const restarts = pace();
  const pauses = Array.from({ length: 10 }, () => restarts.ended(1, 9_999));
  assert.deepEqual(pauses, [0, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]);
});

test("waits after a failed start, and forgets it once a worker has settled", () => {
  const restarts = pace(100);
  assert.equal(restarts.ended(1, undefined), 200);
  assert.equal(restarts.ended(1, undefined), 400);
  assert.equal(restarts.ended(2, undefined), 200);
  assert.equal(restarts.ended(1, 10_000), 0);
  assert.equal(restarts.ended(1, undefined), 200);
});

test("gives up at the last failed start in a row, of whichever worker, and not while others are ready", () => {
  const restarts = pace(3);
  restarts.ended(1, undefined);
  restarts.ended(2, undefined);
  assert.equal(restarts.givesUp(0), false);
  restarts.ended(1, undefined);
  assert.equal(restarts.givesUp(0), true);
  assert.equal(restarts.givesUp(1), false);
  restarts.ready();
  assert.equal(restarts.givesUp(0), false);
});
