import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { dueTimes } from "./schedule.ts";

describe("the times at which calls are due", () => {
  it("are evenly spaced, as many as the rate says, and none at the end", () => {
    assert.deepEqual([...dueTimes([{ durationMs: 1000, rate: 4 }])], [0, 250, 500, 750]);
  });

  it("follow the stages one after the other", () => {
    const stages = [
      { durationMs: 100, rate: 20 },
      { durationMs: 100, rate: 40 },
    ];
    assert.deepEqual([...dueTimes(stages)], [0, 50, 100, 125, 150, 175]);
  });

  it("are shared out between workers without a gap or a double, across stages too", () => {
    const stages = [
      { durationMs: 150, rate: 30 },
      { durationMs: 150, rate: 70 },
    ];
    const all = [...dueTimes(stages)];
    const shares = [0, 1, 2].flatMap((index) => [...dueTimes(stages, { index, of: 3 })]);
    assert.deepEqual(
      shares.toSorted((one, other) => one - other),
      all,
    );
  });

  it("are none for a stage that is too short for a call", () => {
    assert.deepEqual([...dueTimes([{ durationMs: 1, rate: 1 }])], []);
  });
});
