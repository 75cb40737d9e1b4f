import assert from "node:assert/strict";
import { test } from "node:test";
import { createStopLadder } from "./stop-ladder.ts";

test("the first signal stops, an echo within half a second is nothing, a later one forces", () => {
  const ladder = createStopLadder();
  assert.equal(ladder.signal(10_000), "stop");
  assert.equal(ladder.signal(10_003), "echo");
  assert.equal(ladder.signal(10_499), "echo");
  assert.equal(ladder.signal(10_500), "force");
  assert.equal(ladder.signal(60_000), "force");
});

test("the time of an echo counts from the first signal, so that hammering a key forces", () => {
  const ladder = createStopLadder();
  assert.deepEqual(
    [0, 200, 400, 600].map((nowMs) => ladder.signal(nowMs)),
    ["stop", "echo", "echo", "force"],
  );
});
