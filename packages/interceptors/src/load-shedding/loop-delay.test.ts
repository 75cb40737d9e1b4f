import assert from "node:assert/strict";
import { test } from "node:test";
import { measureLoopDelay } from "./loop-delay.ts";

test("measures the mean delay since the last call, without the time between two samples", () => {
  const steps: string[] = [];
  let mean = Number.NaN;
  const histogram = {
    get mean() {
      return mean;
    },
    enable: () => steps.push("enable") > 0,
    disable: () => steps.push("disable") > 0,
    reset: () => void steps.push("reset"),
  };
  const delay = measureLoopDelay((resolutionMs) => {
    assert.equal(resolutionMs, 20);
    return histogram;
  });
  assert.equal(delay.takeMeanMs(), 0);
  mean = 320e6;
  assert.equal(delay.takeMeanMs(), 300);
  mean = 19e6;
  assert.equal(delay.takeMeanMs(), 0);
  delay.stop();
  assert.deepEqual(steps, ["enable", "reset", "reset", "reset", "disable"]);
});

test("uses Node's histogram by default", () => {
  const delay = measureLoopDelay();
  assert.equal(delay.takeMeanMs() >= 0, true);
  delay.stop();
});
