import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { judge, render, type Turn } from "./goals.ts";

const turn = (wallSeconds: number, cpuSeconds: number): Turn => ({ wallSeconds, cpuSeconds, storedBytes: 1e6 });

describe("the goals of WimGuard", () => {
  const first = new Map([
    ["wimguard tar", [turn(1, 1), turn(9, 2), turn(1, 1)]],
    ["restic", [turn(2, 2), turn(1, 2), turn(2, 2)]],
  ]);

  it("compare within each round, and are met or missed by CPU time", () => {
    const [goal, ...more] = judge(new Map([["first", first]]));
    assert.deepEqual(more, []);
    assert.deepEqual([goal?.byCpu, goal?.byWall, goal?.isMet], [0.5, 0.5, true]);
    const slow = new Map(first).set("wimguard tar", [turn(1, 2), turn(1, 2), turn(1, 2)]);
    assert.equal(judge(new Map([["first", slow]]))[0]?.isMet, false);
  });

  it("are not judged where one side is missing", () => {
    assert.deepEqual(judge(new Map([["first", new Map([["wimguard tar", [turn(1, 1)]]])]])), []);
  });

  it("are printed below the medians of each case", () => {
    const turns = new Map([["first", first]]);
    const text = render(turns, judge(turns));
    assert.match(text, /^first +wall s +CPU s +stored MB +peak MB\n {2}wimguard tar +1\.00 +1\.00 +1\.00/);
    assert.match(text, /\nmet +first: wimguard tar at most 0\.8 × restic: 0\.50 by CPU time, 0\.50 by the clock\n$/);
  });
});
